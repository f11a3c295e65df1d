//! CSV: a table of numbers. The delimiter is found among comma, semicolon and tab; the first row is a header when it
//! holds something that is no number; empty fields, `NA` and the like are NaN. Lines that begin with `#` are comments.

use ndarray::ArrayD;

use super::{Fault, Raw};

/// What stands for a missing value, in lower case; `nan` itself is a number.
const MISSING: &[&str] = &["", "na", "n/a", "null", "none", "?", "-", "."];

/// The table `[rows, columns]`.
pub(super) fn parse(bytes: &[u8]) -> Result<Raw, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let delimiter = delimiter(bytes);
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true).comment(Some(b'#')).trim(csv::Trim::All);
    let mut reader = builder.from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let (mut values, mut columns, mut rows) = (Vec::new(), 0, 0);
    let mut first = true;
    while reader.read_byte_record(&mut record).map_err(|e| Fault::new(format!("not a table: {e}")))? {
        let line = record.position().map_or(0, csv::Position::line);
        let is_header = first && record.iter().any(|field| number(field, delimiter).is_none());
        if first {
            (first, columns) = (false, record.len());
        } else if record.len() != columns {
            return Err(Fault::new(format!("line {line} has {} fields, the first has {columns}", record.len())));
        }
        if is_header {
            continue;
        }
        for (column, field) in record.iter().enumerate() {
            values.push(number(field, delimiter).ok_or_else(|| {
                let text: String = String::from_utf8_lossy(field).chars().take(40).collect();
                let fault = Fault::new(format!("line {line}, field {}: {text:?} is no number", column + 1));
                fault.hint("drop the columns that are no numbers, or encode them")
            })?);
        }
        rows += 1;
    }
    let integer = !values.is_empty() && values.iter().all(|x: &f64| x.fract() == 0.0);
    let values = ArrayD::from_shape_vec(vec![rows, columns], values).map_err(|e| Fault::new(e.to_string()))?;
    Ok(Raw { values, integer })
}

/// The delimiter that stands most often in the first line that is no comment; a comma where none does.
fn delimiter(bytes: &[u8]) -> u8 {
    let is_telling = |line: &&[u8]| !line.starts_with(b"#") && !line.trim_ascii().is_empty();
    let line = bytes.split(|b| matches!(b, b'\n' | b'\r')).find(is_telling).unwrap_or_default();
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| !quoted && delimiter == byte) {
            *count += 1;
        }
    }
    // A semicolon or a tab is never part of a number, a comma may be (1,5;2,5).
    counts.iter().find(|(_, count)| *count > 0).map_or(b',', |(delimiter, _)| *delimiter)
}

fn number(field: &[u8], delimiter: u8) -> Option<f64> {
    let text = std::str::from_utf8(field).ok()?;
    if MISSING.contains(&text.to_ascii_lowercase().as_str()) {
        return Some(f64::NAN);
    }
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) if delimiter == b';' && text.matches(',').count() == 1 => text.replace(',', ".").parse().ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn table(text: &str) -> (Vec<usize>, Vec<f64>) {
        let raw = parse(text.as_bytes()).unwrap();
        (raw.values.shape().to_vec(), raw.values.iter().copied().collect())
    }

    #[test]
    fn delimiters_and_headers_are_found() {
        let expected = (vec![2, 2], vec![1., 2.5, -3., 4e3]);
        assert_eq!(table("1,2.5\n-3,4e3\n"), expected);
        assert_eq!(table("a,b\r\n1, 2.5\r\n-3,4e3"), expected);
        assert_eq!(table("\u{feff}\"a, b\";c\n1;2,5\n-3;4e3\n"), expected);
        assert_eq!(table("# made by hand\n1\t2.5\n\n-3\t4e3\n"), expected);
        assert_eq!(table("label\n3\n1\n"), (vec![2, 1], vec![3., 1.]));
        assert!(parse(b"label\n3\n1\n").unwrap().integer && !parse(b"1\n2.5\n").unwrap().integer);
    }

    #[test]
    fn missing_values_are_nan() {
        let (shape, values) = table("1,NA,\n?,nan,2\n");
        assert_eq!(shape, [2, 3]);
        assert_eq!(values.iter().map(|x| x.is_nan()).collect::<Vec<_>>(), [false, true, true, true, true, false]);
        assert!(!parse(b"1\nNA\n").unwrap().integer);
    }

    #[test]
    fn faults_say_where() {
        let fault = |text: &str| parse(text.as_bytes()).unwrap_err().what;
        assert_eq!(fault("a,b\n1,2\n1,2,3\n"), "line 3 has 3 fields, the first has 2");
        assert_eq!(fault("1,2\n3,cat\n"), "line 2, field 2: \"cat\" is no number");
        assert_eq!(table(""), (vec![0, 0], vec![]));
        assert_eq!(table("a,b\n"), (vec![0, 2], vec![]));
    }
}
