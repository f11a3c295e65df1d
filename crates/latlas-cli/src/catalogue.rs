//! Everything that has an id and a page: what `latlas list` lists and `latlas explain` explains.

use latlas::card::{Better, Card};
use latlas::models::closed_form;
use latlas_graph::Kind as OperatorKind;

/// A thing with a page.
pub struct Entry {
    /// What the user types.
    pub id: String,
    /// One line.
    pub title: String,
    /// The whole page, in Markdown.
    pub page: String,
}

/// A table of the library.
pub struct Kind {
    /// The plural that `latlas list` takes.
    pub name: &'static str,
    /// What its entries are.
    pub title: &'static str,
    /// Reads the table.
    pub entries: fn() -> Vec<Entry>,
}

/// All tables, in the order in which `latlas explain` looks into them.
pub const KINDS: &[Kind] = &[
    Kind { name: "estimators", title: "what `latlas run` computes", entries: estimators },
    Kind { name: "models", title: "models that ship with Latlas, trained or in closed form; use them as builtin:ID", entries: models },
    Kind { name: "data", title: "data that ships with Latlas; use it as builtin:ID", entries: data },
    Kind { name: "experiments", title: "published experiments; do one again with `latlas reproduce ID`", entries: experiments },
    Kind { name: "caveats", title: "what to know before trusting a number", entries: caveats },
    Kind { name: "ops", title: "ONNX operators that are read", entries: operators },
];

fn estimators() -> Vec<Entry> {
    let entry = |card: &Card| Entry { id: card.id.into(), title: card.title.into(), page: estimator_page(card) };
    latlas::estimators::all().map(|known| entry(&known.card)).collect()
}

/// The card as a few lines, then the page of the estimator's own file.
fn estimator_page(card: &Card) -> String {
    let better = match card.better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::Neither => "neither direction is better",
    };
    let needs: Vec<String> = card.needs.iter().map(|need| format!("{need:?}").to_lowercase()).collect();
    let facts = format!("group {} · unit {} · range {} · {better} · needs {}", card.group, card.unit, card.range, needs.join(", "));
    format!("{}\n\n{facts}\n\n{}", card.title, card.page())
}

fn models() -> Vec<Entry> {
    let entry = |model: &latlas::data::Model| {
        let use_it = format!("Use it as `builtin:{}`, such as `latlas inspect builtin:{}`.", model.id, model.id);
        Entry { id: model.id.into(), title: model.title.into(), page: format!("{}\n\n{use_it}", model.title) }
    };
    let closed = |form: &closed_form::Entry| {
        let use_it = format!("Use it as `builtin:{}`, such as `latlas run entropy builtin:{}`.", form.id, form.id);
        Entry { id: form.id.into(), title: form.title.into(), page: format!("{}\n\n{use_it}", form.page()) }
    };
    latlas::data::MODELS.iter().map(entry).chain(closed_form::TABLE.iter().map(closed)).collect()
}

fn data() -> Vec<Entry> {
    let entry = |set: &latlas::data::Builtin| {
        let use_it = format!("Use it as `builtin:{}`, such as `--data builtin:{}`.", set.id, set.id);
        Entry { id: set.id.into(), title: set.title.into(), page: format!("{}\n\n{use_it}", set.title) }
    };
    latlas::data::BUILTINS.iter().map(entry).collect()
}

fn experiments() -> Vec<Entry> {
    let entry = |experiment: &latlas::reproduce::Experiment| Entry {
        id: experiment.id.into(),
        title: experiment.title.into(),
        page: format!(
            "{}\n\n{}\n\n{}\n\nDo it again with `latlas reproduce {}`.",
            experiment.title, experiment.about, experiment.source, experiment.id
        ),
    };
    latlas::reproduce::TABLE.iter().map(entry).collect()
}

fn caveats() -> Vec<Entry> {
    let entry = |page: &latlas::caveat::Page| Entry {
        id: page.id.into(),
        title: page.title.into(),
        page: format!("{}\n\n{}", page.title, page.text),
    };
    latlas::caveat::PAGES.iter().map(entry).collect()
}

fn operators() -> Vec<Entry> {
    let entry = |operator: &latlas_graph::onnx::ops::Entry| {
        let title = kind_of(operator.kind, operator.kink);
        let page = format!("The ONNX operator {}: {title}.\n\n{}", operator.op, meaning_of(operator.kind, operator.kink));
        Entry { id: operator.op.into(), title, page }
    };
    let mut all: Vec<Entry> = latlas_graph::onnx::ops::all().map(entry).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// The kind of an operator in a word or two.
pub fn kind_of(kind: Option<OperatorKind>, kink: bool) -> String {
    let kind = kind.map_or_else(|| "composite".into(), |kind| format!("{kind:?}").to_lowercase());
    if kink { format!("{kind}, with kinks") } else { kind }
}

fn meaning_of(kind: Option<OperatorKind>, kink: bool) -> String {
    let derivative = match kind {
        None => "It is written with simpler operations on import; its derivatives follow from theirs.",
        Some(OperatorKind::Source) => "It makes a constant and carries no derivative.",
        Some(OperatorKind::Linear) => "Linear in its data: its derivative is itself, its adjoint its transpose.",
        Some(OperatorKind::Pointwise) => "It works element by element; its derivative is again a graph of operations.",
        Some(OperatorKind::Bilinear) => "Linear in each of two operands: its derivatives follow the product rule.",
        Some(OperatorKind::Discrete) => "It makes masks or indices and carries no derivative.",
    };
    let kinks = if kink { " Its derivative jumps somewhere; the branch that is taken is differentiated (see `kink-at-relu`)." } else { "" };
    format!("{derivative}{kinks}")
}
