//! The card of an estimator or quantity: what everybody needs to know of it before using it.

/// What everybody needs to know of an estimator before using it.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Kebab-case, the field's own name.
    pub id: &'static str,
    /// The group that `latlas run GROUP` runs: `entropy`, `geometry` ….
    pub group: &'static str,
    /// In words.
    pub title: &'static str,
    /// `nats`, `1` ….
    pub unit: &'static str,
    /// Possible values in words: "any sign", "≥ 0, +∞ if parallel".
    pub range: &'static str,
    /// Which direction is better.
    pub better: Better,
    /// What the user must supply.
    pub needs: &'static [Need],
    /// What leaves the value unchanged.
    pub invariances: &'static [&'static str],
    /// Where it comes from: author, title, year.
    pub references: &'static [&'static str],
    /// The source file; its `//!` page is the documentation (see [`Card::page`]).
    pub source: &'static str,
}

/// Which direction of a score is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Better {
    Higher,
    Lower,
    Neither,
}

/// What an estimator needs from its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Need {
    /// A decoder, or its Jacobians.
    Decoder,
    /// A metric on the latents: a decoder that can be differentiated, of one condition at most.
    Manifold,
    /// A second model.
    Other,
    Data,
    Encoder,
    Codes,
    /// Log variances of the posterior beside the codes.
    CodesLogvar,
    Factors,
    Labels,
}

impl Card {
    /// The `//!` page at the top of the estimator's file, with formulas indented.
    pub fn page(&self) -> String {
        let mut page = String::new();
        let mut formula = false;
        for line in self.source.lines().map_while(|line| line.strip_prefix("//!")) {
            let line = line.strip_prefix(' ').unwrap_or(line);
            if line.starts_with("```") {
                formula = !formula;
            } else {
                page.extend([if formula { "    " } else { "" }, line, "\n"]);
            }
        }
        page.trim_end().into()
    }
}
