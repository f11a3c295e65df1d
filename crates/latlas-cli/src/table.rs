//! Tables for people: columns as wide as they need to be, numbers to the right.

use crate::console::{Console, plain};

/// Rows of cells under headings.
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one cell a heading.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.headings.len());
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// The whole table as text.
    pub fn render(&self, console: Console) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.headings[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let to_right: Vec<bool> = (0..self.headings.len()).map(|column| self.is_numeric(column)).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(widths.iter().zip(&to_right)).map(|(cell, (&width, &right))| {
                let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
                if right { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        let mut text = console.bold(&line(&mut self.headings.iter().copied()));
        for row in &self.rows {
            text.push('\n');
            text.push_str(&line(&mut row.iter().map(String::as_str)));
        }
        text + "\n"
    }

    fn is_numeric(&self, column: usize) -> bool {
        let numeric = |cell: &str| cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit() || "+-−±∞–".contains(c));
        self.rows.iter().all(|row| numeric(&row[column]))
    }
}

/// A count with a unit prefix: 1.34 M, 12.3 k.
pub fn count(value: f64, unit: &str) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P"];
    let mut scaled = value;
    let mut step = 0;
    while scaled >= 1000.0 && step + 1 < prefixes.len() {
        scaled /= 1000.0;
        step += 1;
    }
    let digits = if step == 0 || scaled >= 100.0 { 0 } else { 2 - scaled.log10().floor().max(0.0) as usize };
    format!("{scaled:.digits$} {}{unit}", prefixes[step]).trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        assert_eq!([count(1_234_567.0, "FLOP"), count(12.0, "B"), count(999_999.0, "")], ["1.23 MFLOP", "12 B", "1000 k"]);
    }
}
