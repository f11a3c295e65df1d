//! NumPy's `.npy`: magic, version, a header that is a Python dictionary, then the elements.
//!
//! Read are versions 1 to 3, both element orders and both byte orders. Object arrays (pickles are programs) and records
//! are refused. R. Kern, *NEP 1: A simple file format for NumPy arrays*, 2007.

use super::element::{Element, Layout, Order, Stored};
use super::{Fault, Raw};

const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read; those of real arrays have about 100 bytes.
const LONGEST_HEADER: usize = 1 << 16;

/// The array of a whole file.
pub(super) fn parse(bytes: &[u8]) -> Result<Raw, Fault> {
    let (stored, start) = header(bytes)?;
    stored.array(&bytes[start..])
}

/// Bytes that tell how long a header is.
pub(super) const PREFIX: usize = 10;

/// Bytes of the header behind the first [`PREFIX`].
pub(super) fn header_length(prefix: &[u8]) -> Result<usize, Fault> {
    let (length, text) = length(prefix)?;
    Ok((length + prefix.len() - text.len()).saturating_sub(PREFIX))
}

/// The length of the dictionary, and what follows that number.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Fault> {
    let truncated = || Fault::new("the .npy header is truncated");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| Fault::new("not a .npy file: the first bytes are not \\x93NUMPY"))?;
    let (length, text) = match rest {
        [1, _minor, a, b, text @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), text),
        [2 | 3, _minor, a, b, c, d, text @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, text),
        [1..=3, ..] | [] => return Err(truncated()),
        [major, ..] => return Err(Fault::new(format!("version {major} of the .npy format; 1 to 3 are read"))),
    };
    if length > LONGEST_HEADER {
        return Err(Fault::new(format!("the .npy header claims {length} bytes, at most {LONGEST_HEADER} are read")));
    }
    Ok((length, text))
}

/// What the header says, and where the elements begin. `bytes` need not hold more than the header.
pub(super) fn header(bytes: &[u8]) -> Result<(Stored, usize), Fault> {
    let (length, text) = length(bytes)?;
    let start = bytes.len() - text.len() + length;
    let text = text.get(..length).ok_or_else(|| Fault::new("the .npy header is truncated"))?;
    let text = std::str::from_utf8(text).map_err(|_| Fault::new("the .npy header is not text"))?;
    Ok((Header { rest: text }.dictionary()?, start))
}

/// A reader of the dictionary literal `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
struct Header<'a> {
    rest: &'a str,
}

impl<'a> Header<'a> {
    fn dictionary(mut self) -> Result<Stored, Fault> {
        let (mut kind, mut layout, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.skip('}') {
            let key = self.string()?;
            self.expect(':')?;
            match key {
                "descr" => kind = Some(self.element()?),
                "fortran_order" => layout = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                other => return Err(Fault::new(format!("unknown key {other:?} in the .npy header"))),
            }
            if !self.skip(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err(self.unexpected("the end"));
        }
        let missing = |key| Fault::new(format!("the .npy header has no {key:?}"));
        let (element, order) = kind.ok_or_else(|| missing("descr"))?;
        let layout = if layout.ok_or_else(|| missing("fortran_order"))? { Layout::First } else { Layout::Last };
        Ok(Stored { shape: shape.ok_or_else(|| missing("shape"))?, element, order, layout })
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let found: String = self.rest.trim_start().chars().take(20).collect();
        Fault::new(format!("the .npy header is damaged: expected {expected}, found {found:?}"))
    }

    fn skip(&mut self, letter: char) -> bool {
        let after = self.rest.trim_start().strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, letter: char) -> Result<(), Fault> {
        if self.skip(letter) { Ok(()) } else { Err(self.unexpected(&format!("{letter:?}"))) }
    }

    fn string(&mut self) -> Result<&'a str, Fault> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or_else(|| self.unexpected("a string"))?;
        let (string, rest) = text[1..].split_once(quote).ok_or_else(|| self.unexpected("a string"))?;
        self.rest = rest;
        Ok(string)
    }

    fn boolean(&mut self) -> Result<bool, Fault> {
        let text = self.rest.trim_start();
        let (value, rest) = match (text.strip_prefix("True"), text.strip_prefix("False")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(self.unexpected("True or False")),
        };
        self.rest = rest;
        Ok(value)
    }

    fn tuple(&mut self) -> Result<Vec<usize>, Fault> {
        self.expect('(')?;
        let mut axes = Vec::new();
        while !self.skip(')') {
            let text = self.rest.trim_start();
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            axes.push(text[..digits].parse().map_err(|_| self.unexpected("the length of an axis"))?);
            self.rest = &text[digits..];
            self.skip('L'); // Python 2 wrote long integers so.
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(axes)
    }

    fn element(&mut self) -> Result<(Element, Order), Fault> {
        if self.rest.trim_start().starts_with('[') {
            return Err(Fault::new("the array holds records (a structured dtype)").hint("save one field: np.save(\"x.npy\", a[\"field\"])"));
        }
        let kind = self.string()?;
        let (order, letters) = match kind.split_at_checked(1) {
            Some(("<" | "|" | "=", letters)) => (Order::Little, letters),
            Some((">", letters)) => (Order::Big, letters),
            _ => (Order::Little, kind),
        };
        let element = match letters {
            "b1" | "?" => Element::Bool,
            "u1" => Element::U8,
            "u2" => Element::U16,
            "u4" => Element::U32,
            "u8" => Element::U64,
            "i1" => Element::I8,
            "i2" => Element::I16,
            "i4" => Element::I32,
            "i8" => Element::I64,
            "f2" => Element::F16,
            "f4" => Element::F32,
            "f8" => Element::F64,
            _ if letters.starts_with('O') => {
                let fault = Fault::new("the array holds Python objects (a pickle), which is a program and is not read");
                return Err(fault.hint("save numbers: np.save(\"x.npy\", np.asarray(a, dtype=float))"));
            }
            _ => {
                let fault = Fault::new(format!("elements of dtype {kind:?}; read are bool, integers, f16, f32 and f64"));
                return Err(fault.hint("convert before saving: a.astype(\"float64\")"));
            }
        };
        Ok((element, order))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[version, 0]].concat();
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        [&bytes, header.as_bytes(), data].concat()
    }

    fn dictionary(descr: &str, fortran: bool, shape: &str) -> String {
        let fortran = if fortran { "True" } else { "False" };
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}  \n")
    }

    #[test]
    fn versions_orders_and_types() {
        let data: Vec<u8> = (1..=6).flat_map(|k: i16| k.to_be_bytes()).collect();
        for version in 1..=3 {
            let raw = parse(&file(version, &dictionary(">i2", false, "(2, 3)"), &data)).unwrap();
            assert_eq!(raw.values, ndarray::arr2(&[[1., 2., 3.], [4., 5., 6.]]).into_dyn());
            assert!(raw.integer);
        }
        let raw = parse(&file(1, &dictionary(">i2", true, "(2, 3)"), &data)).unwrap();
        assert_eq!(raw.values, ndarray::arr2(&[[1., 3., 5.], [2., 4., 6.]]).into_dyn());
        assert!(raw.values.is_standard_layout());
        let raw = parse(&file(1, "{\"shape\":(),\"fortran_order\":False,\"descr\":\"<f2\"}", &[0x00, 0x3e])).unwrap();
        assert_eq!((raw.values.ndim(), raw.values.first(), raw.integer), (0, Some(&1.5), false));
        let raw = parse(&file(1, &dictionary("|b1", false, "(3L,)"), &[0, 1, 2])).unwrap();
        assert_eq!(raw.values.as_slice(), Some(&[0., 1., 1.][..]));
    }

    #[test]
    fn what_is_refused_is_named() {
        let fault = |bytes: &[u8]| parse(bytes).unwrap_err().what;
        assert!(fault(b"PK\x03\x04").contains("not a .npy"));
        assert!(fault(&file(4, "", &[])).contains("version 4"));
        assert!(fault(&file(1, &dictionary("|O", false, "(2,)"), &[0; 16])).contains("pickle"));
        assert!(fault(&file(1, &dictionary("<c16", false, "(1,)"), &[0; 16])).contains("<c16"));
        assert!(fault(&file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", &[0; 4])).contains("records"));
        let short = fault(&file(1, &dictionary("<f4", false, "(100, 3)"), &[0; 800]));
        assert_eq!(short, "shape [100, 3] takes 1200 bytes, the file holds 800: it is truncated");
        assert!(fault(&file(1, &dictionary("<f4", false, "(1,)"), &[0; 8])).contains("follows"));
        assert!(fault(&file(1, &dictionary("<f8", false, "(4294967296, 4294967296)"), &[])).contains("more than"));
        assert!(fault(&file(1, &dictionary("<f8", false, "(0, 4294967296, 4294967296)"), &[])).contains("more than"));
        assert!(fault(&file(1, &dictionary("<f8", false, "(99999999999999999999,)"), &[])).contains("length of an axis"));
        assert!(fault(&file(1, "{'descr': '<f4'}", &[])).contains("fortran_order"));
        assert!(fault(&file(1, &dictionary("<i8", false, "(1,)"), &i64::MAX.to_le_bytes())).contains("2^53"));
        assert!(fault(&file(2, &"{".repeat(70_000), &[])).contains("70000"));
    }
}
