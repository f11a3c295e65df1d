//! Lines of a table in columns, as far as the terminal has room.

use super::Options;
use super::rows::Row;

/// Width of the bar beside an entry of a vector.
const BAR: usize = 20;

/// Lines in columns; what does not fit is left out, from the least to the most needed.
pub fn lay_out(rows: &[Row], options: Options) -> String {
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

/// Characters of a text.
pub fn letters(text: &str) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_eighths() {
        assert_eq!(bar(1.0), "█".repeat(BAR));
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0 / 160.0), "▏");
        assert_eq!(bar(f64::NAN), "");
    }
}
