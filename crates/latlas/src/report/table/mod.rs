//! A report as a plain-text table for the terminal.

mod layout;
mod rows;

use super::number::plain;
use super::report::Report;
use super::text::visible;
use layout::{lay_out, letters};
use rows::{Row, rows};

/// How the table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether escape codes for colour may be used.
    pub colour: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100, colour: false }
    }
}

/// The estimates with their uncertainties, the entries of vectors in falling order with bars, checks and caveats.
///
/// Names and messages are written with control codes made visible, so that no file can write on the terminal.
pub fn render(report: &Report, options: Options) -> String {
    let rows: Vec<Row> = report.estimates.iter().flat_map(rows).collect();
    let mut text = lay_out(&rows, options);
    checks(report, options, &mut text);
    caveats(report, options, &mut text);
    text
}

fn checks(report: &Report, options: Options, text: &mut String) {
    let laws = &report.invariants;
    if laws.is_empty() {
        return;
    }
    text.push('\n');
    let failing: Vec<_> = laws.iter().filter(|l| !l.holds).collect();
    if failing.is_empty() {
        let ids: Vec<String> = laws.iter().map(|l| visible(&l.id)).collect();
        let sign = options.good("✓");
        let said =
            format!("{} hold: {}", if laws.len() == 1 { "the check".into() } else { format!("all {} checks", laws.len()) }, ids.join(", "));
        text.push_str(&format!("{sign} {}\n", wrapped(&said, options.width, 2)));
    }
    for law in failing {
        let words = super::laws::law(&law.id).map_or("", |l| l.fails);
        let said =
            format!("{} does not hold: {} where {} is accepted: {words}", visible(&law.id), plain(law.worst, 2), plain(law.tolerance, 2));
        text.push_str(&format!("{} {}\n", options.bad("✕"), wrapped(said.trim_end_matches([':', ' ']), options.width, 2)));
    }
}

fn caveats(report: &Report, options: Options, text: &mut String) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for caveat in report.estimates.iter().flat_map(|e| &e.caveats) {
        let pair = (caveat.id.as_str(), caveat.message.as_str());
        if !seen.contains(&pair) {
            seen.push(pair);
        }
    }
    for (id, message) in seen {
        let said = wrapped(&format!("{}: {}", visible(id), visible(message)), options.width, 2);
        text.push_str(&format!("{} {said}\n", options.care("!")));
    }
}

/// Text broken at spaces, further lines indented.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && letters(line) + 1 + letters(word) + indent > width.max(30));
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

impl Options {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn accent(self, text: &str) -> String {
        self.paint("34", text)
    }

    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn care(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::extra::tests::estimate;
    use super::*;
    use crate::caveat::Caveat;
    use crate::estimate::{Invariant, Value};

    fn report() -> Report {
        let mut entropy = estimate(
            "manifold-entropy",
            Value::Vector(vec![2.95, 3.1, f64::NEG_INFINITY]),
            Some(Value::Vector(vec![0.021, 0.02, f64::NAN])),
        );
        entropy.axes = vec!["latent".into()];
        entropy.title = "Manifold entropy \u{1b}[2Jof each".into();
        entropy.caveats.push(Caveat { id: "dead-column".into(), message: "latent 2 \u{7} moves nothing".into() });
        let mut total = estimate("total-entropy", Value::Scalar(-5.751), Some(Value::Scalar(0.03)));
        total.n_used = 990;
        let matrix = estimate("averaged-columns", Value::Matrix(vec![vec![0.0; 64]; 3]), None);
        let invariants = vec![
            Invariant { id: "hadamard".into(), holds: true, worst: 0.0, tolerance: 1e-9 },
            Invariant { id: "batch-independence".into(), holds: false, worst: 0.1, tolerance: 1e-6 },
        ];
        Report { estimates: vec![entropy, total, matrix], invariants, ..Report::default() }
    }

    #[test]
    fn the_table_at_100_columns() {
        let expected = "\
estimate                                 value ± s.e.        interval  unit  samples
Manifold entropy \\u{1b}[2Jof each                                      nats     1000
  latent 1                              3.100 ± 0.020  3.061 to 3.139  ████████████████████
  latent 0                              2.950 ± 0.021  2.909 to 2.991  █████████████████▎
  latent 2                                         −∞                              
Title of total-entropy                 −5.751 ± 0.030  −5.810 to −5.692  nats  990 of 1000
";
        let text = render(&report(), Options::default());
        assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
        let squeeze = |t: &str| t.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        let (got, expected) = (squeeze(&text), squeeze(expected));
        assert_eq!(got[..expected.len()], expected[..], "{text}");
        assert!(text.contains("✕ batch-independence does not hold: 0.1 where 10⁻⁶ is accepted: the decoder"), "{text}");
        assert!(text.contains("! dead-column: latent 2 \\u{7} moves nothing"), "{text}");
    }

    #[test]
    fn narrow_terminals_and_colour() {
        for width in [20, 40, 60, 80, 200] {
            let text = render(&report(), Options { width, colour: false });
            assert!(text.lines().all(|l| l.chars().count() <= width.max(44)), "{width}:\n{text}");
        }
        let text = render(&report(), Options { width: 100, colour: true });
        assert!(text.contains("\u{1b}[34m█"), "{text}");
        assert_eq!(render(&Report::default(), Options::default()), "no estimates\n");
    }
}
