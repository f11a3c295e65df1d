//! Tables in Markdown whose columns also line up in a terminal.

/// A table: the first column to the left, all others to the right.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heading.
    pub fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let columns = self.rows[0].len();
        let cell = |row: &Vec<String>, i: usize| row.get(i).cloned().unwrap_or_default();
        let width = |i: usize| self.rows.iter().map(|row| cell(row, i).chars().count()).max().unwrap_or(0).max(3);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = widths.iter().enumerate().map(|(i, &w)| {
                let text = cell(row, i);
                if i == 0 { format!("{text:<w$}") } else { format!("{text:>w$}") }
            });
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule = widths.iter().enumerate().map(|(i, &w)| if i == 0 { "-".repeat(w + 2) } else { format!("{}:", "-".repeat(w + 1)) });
        let rule = format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
        line(&self.rows[0]) + &rule + &self.rows[1..].iter().map(line).collect::<String>()
    }
}

/// A number with three significant digits and no exponent.
pub fn three_digits(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    let magnitude = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    format!("{x:.*}", (2 - magnitude).clamp(0, 9) as usize)
}

/// The median; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["case", "ms"]);
        table.row(vec!["mlp".into(), "12.3".into()]);
        table.row(vec!["a longer one".into()]);
        let lines = ["| case         |   ms |", "|--------------|-----:|", "| mlp          | 12.3 |", "| a longer one |      |", ""];
        assert_eq!(table.markdown(), lines.join("\n"));
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!([1234.4, 123.4, 12.34, 0.01234, 0.0].map(three_digits), ["1234", "123", "12.3", "0.0123", "0.00"]);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
