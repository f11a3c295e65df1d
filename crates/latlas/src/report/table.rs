//! A report as a plain-text table for the terminal.

use super::extra::{at, entry, interval, named, order};
use super::number::{self, count, measured, plain};
use super::report::Report;
use super::text::visible;
use crate::estimate::{Estimate, Value};

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

/// Entries of a vector that are listed at most.
const MOST_ENTRIES: usize = 16;
/// Parts of a matrix that are listed at most.
const MOST_PARTS: usize = 6;
/// Width of the bar beside an entry of a vector.
const BAR: usize = 20;

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

/// A line of the table.
#[derive(Debug, Default)]
struct Row {
    name: String,
    value: String,
    interval: String,
    unit: String,
    samples: String,
    /// Length of the bar between 0 and 1.
    bar: Option<f64>,
    /// Whether this begins an estimate.
    head: bool,
}

fn rows(estimate: &Estimate) -> Vec<Row> {
    let samples = if estimate.n_used == estimate.n_seen {
        count(estimate.n_used)
    } else {
        format!("{} of {}", count(estimate.n_used), count(estimate.n_seen))
    };
    let mut head = Row { name: visible(&estimate.title), unit: visible(&estimate.unit), samples, head: true, ..Row::default() };
    if head.unit == "1" {
        head.unit.clear();
    }
    match &estimate.value {
        Value::Scalar(_) => {
            (head.value, head.interval, _) = cells(estimate, 0);
            vec![head]
        }
        Value::Vector(values) => {
            let axis = estimate.axes.first().map_or("entry", String::as_str);
            let finite = || values.iter().copied().filter(|x| x.is_finite());
            let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
            // Bars are shares of the largest, so that nearly equal entries look so; entropies are logarithms of what moves.
            let share = |x: f64| match (estimate.unit.as_str(), low >= 0.0) {
                ("nats", _) => (x - high).exp(),
                (_, true) if high > 0.0 => x / high,
                _ if high > low => (x - low) / (high - low),
                _ => 1.0,
            };
            let order = order(estimate);
            let listed = order.iter().take(MOST_ENTRIES).map(|i| {
                let (value, interval, raw) = cells(estimate, *i);
                let bar = raw.is_finite().then(|| share(raw));
                Row { name: format!("  {} {i}", visible(axis)), value, interval, bar, ..Row::default() }
            });
            let mut rows: Vec<Row> = std::iter::once(head).chain(listed).collect();
            if order.len() > MOST_ENTRIES {
                rows.push(Row { name: format!("  … and {} more", order.len() - MOST_ENTRIES), ..Row::default() });
            }
            rows
        }
        Value::Matrix(matrix) => {
            let size = format!("{} × {}", count(matrix.len()), count(matrix.first().map_or(0, Vec::len)));
            // Where there is a mean over all entries it stands for them, and the largest have lines of their own.
            head.value = match at(estimate, &["mean", "value"]) {
                Some(mean) => measured(mean, at(estimate, &["mean", "standard_error"])).to_string(),
                None => size.clone(),
            };
            let listed = named(estimate).into_iter().take(MOST_PARTS).map(|part| Row {
                name: format!("  {}", part.label),
                value: measured(part.value, part.error).to_string(),
                interval: part.interval.map_or_else(String::new, ends),
                ..Row::default()
            });
            if at(estimate, &["mean", "value"]).is_some() {
                head.name = format!("{}, mean of {size}", head.name);
            }
            std::iter::once(head).chain(listed).collect()
        }
    }
}

fn cells(estimate: &Estimate, i: usize) -> (String, String, f64) {
    let Some((value, error)) = entry(estimate, i) else { return (String::new(), String::new(), f64::NAN) };
    (measured(value, error).to_string(), interval(estimate, i).map_or_else(String::new, ends), value)
}

fn ends((low, high): (f64, f64)) -> String {
    let (low, high) = number::interval(low, high);
    format!("{low} to {high}")
}

fn lay_out(rows: &[Row], options: Options) -> String {
    if rows.is_empty() {
        return "no estimates\n".into();
    }
    let level = "interval";
    let widest =
        |of: &dyn Fn(&Row) -> &str, heading: &str| rows.iter().map(|r| letters(of(r))).chain([letters(heading)]).max().unwrap_or(0);
    let value = widest(&|r| &r.value, "value ± s.e.");
    let interval = widest(&|r| &r.interval, level);
    let unit = widest(&|r| &r.unit, "unit");
    let samples = widest(&|r| &r.samples, "samples");
    let has_bars = rows.iter().any(|r| r.bar.is_some());
    let tail = if has_bars { (unit + 2 + samples).max(BAR) } else { unit + 2 + samples };
    // What does not fit is left out, from the least to the most needed.
    let name = widest(&|r| &r.name, "estimate");
    let room = |parts: usize| options.width.saturating_sub(parts);
    let with_interval = room(2 + value + 2 + interval + 2 + tail) >= name.min(24);
    let with_tail = room(2 + value + 2 + tail) >= name.min(16);
    let taken = 2 + value + if with_interval { 2 + interval } else { 0 } + if with_tail { 2 + tail } else { 0 };
    let name = name.min(room(taken).max(12));

    let mut text = String::new();
    let mut line = |row: &Row, is_heading: bool| {
        let mut cells = format!("{}  {}", left(&row.name, name), right(&row.value, value));
        if with_interval {
            cells.push_str(&format!("  {}", right(&row.interval, interval)));
        }
        if with_tail {
            let tail = match row.bar {
                Some(share) => options.accent(&bar(share)),
                None => format!("{}  {}", left(&row.unit, unit), right(&row.samples, samples)),
            };
            cells.push_str(&format!("  {tail}"));
        }
        let cells = cells.trim_end();
        text.push_str(&if is_heading {
            options.dim(cells)
        } else if row.head {
            options.bold(cells)
        } else {
            cells.to_string()
        });
        text.push('\n');
    };
    let heading = Row {
        name: "estimate".into(),
        value: "value ± s.e.".into(),
        interval: level.into(),
        unit: "unit".into(),
        samples: "samples".into(),
        ..Row::default()
    };
    line(&heading, true);
    rows.iter().for_each(|row| line(row, false));
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

fn letters(text: &str) -> usize {
    text.chars().count()
}

fn left(text: &str, width: usize) -> String {
    if letters(text) > width {
        return text.chars().take(width.saturating_sub(1)).chain(['…']).collect();
    }
    format!("{text}{}", " ".repeat(width - letters(text)))
}

fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(letters(text))))
}

/// A bar in eighths of a cell.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let rest = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
    let bar = "█".repeat(eighths / 8);
    if rest == ' ' { bar } else { format!("{bar}{rest}") }
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
    use crate::estimate::Invariant;

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

    #[test]
    fn bars_have_eighths() {
        assert_eq!(bar(1.0), "█".repeat(BAR));
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0 / 160.0), "▏");
        assert_eq!(bar(f64::NAN), "");
    }
}
