//! The page `docs/operators.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use latlas_graph::Kind;
use latlas_graph::onnx::ops;
use latlas_graph::onnx::{MAX_OPSET, MIN_OPSET};

use crate::case::SUITES;
use crate::verdict::Verdict;
use crate::{Outcome, REQUIRED};

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: usize,
    unsupported: usize,
    wrong: usize,
}

impl Counts {
    fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            match outcome.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Unsupported { .. } => counts.unsupported += 1,
                Verdict::Wrong(_) => counts.wrong += 1,
            }
        }
        counts
    }

    fn cells(self) -> String {
        format!("{} | {} | {}", self.passed, self.unsupported, self.wrong)
    }
}

/// The whole page.
pub fn page(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let all = Counts::of(outcomes.iter());
    let count = ops::all().count();
    let _ = writeln!(
        text,
        "# ONNX operators\n\n\
         Latlas reads {count} operators of the standard domain, of operator sets {MIN_OPSET} to {MAX_OPSET}. The backend tests of the ONNX\n\
         standard (Debian's `libonnx-testdata` 1.12) are run as one sample in double precision, by the reference interpreter and by\n\
         the executor, with inputs computed and with inputs folded. Inputs that are shapes, axes or sizes are bound as constants.\n\
         A test is *wrong* where a number differs from the standard's, and *unsupported* where the model is refused with a reason.\n\n\
         **{} tests: {} passed, {} unsupported, {} wrong.**\n",
        outcomes.len(),
        all.passed,
        all.unsupported,
        all.wrong
    );
    text.push_str("| suite | passed | unsupported | wrong |\n|---|---|---|---|\n");
    for suite in SUITES {
        let _ = writeln!(text, "| {suite} | {} |", Counts::of(outcomes.iter().filter(|o| o.case.suite == suite)).cells());
    }
    operators(&mut text, outcomes);
    refusals(&mut text, outcomes);
    text
}

/// One line an operator: its own tests are those whose graph has no other.
fn operators(text: &mut String, outcomes: &[Outcome]) {
    text.push_str(
        "\n## Operators\n\nThe kind fixes how an operator is differentiated; a composite is made of others. An operator with a kink has a\n\
         derivative that jumps. Tests of its own are graphs that use no other operator; the last column counts larger graphs that\n\
         use it and passed. In bold: what PyTorch's exporters write.\n\n\
         | operator | kind | kink | passed | unsupported | wrong | in larger graphs |\n|---|---|---|---|---|---|---|\n",
    );
    let mut entries: Vec<_> = ops::all().collect();
    entries.sort_by_key(|e| e.op);
    for entry in entries {
        let own = Counts::of(outcomes.iter().filter(|o| o.case.operators == [entry.op]));
        let uses = |o: &&Outcome| o.case.operators.len() > 1 && o.case.operators.iter().any(|op| op == entry.op);
        let larger = Counts::of(outcomes.iter().filter(uses)).passed;
        let kind = match entry.kind {
            None => "composite",
            Some(Kind::Source) => "constant",
            Some(Kind::Linear) => "linear",
            Some(Kind::Pointwise) => "pointwise",
            Some(Kind::Bilinear) => "bilinear",
            Some(Kind::Discrete) => "discrete",
        };
        let name = if REQUIRED.contains(&entry.op) { format!("**{}**", entry.op) } else { entry.op.into() };
        let _ = writeln!(text, "| {name} | {kind} | {} | {} | {larger} |", if entry.kink { "yes" } else { "" }, own.cells());
    }
}

/// Every test that was refused, by reason.
fn refusals(text: &mut String, outcomes: &[Outcome]) {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for outcome in outcomes {
        if let Verdict::Unsupported { reason, .. } = &outcome.verdict {
            let prefix = if outcome.case.suite == "node" { String::new() } else { format!("{}/", outcome.case.suite) };
            reasons.entry(reason).or_default().push(format!("{prefix}{}", outcome.case.name));
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, tests)| (std::cmp::Reverse(tests.len()), *reason));
    text.push_str("\n## Unsupported tests\n\n");
    for (reason, tests) in &reasons {
        let _ = writeln!(text, "- {} × {reason}: {}", tests.len(), tests.join(", "));
    }
}
