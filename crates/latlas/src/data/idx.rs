//! IDX, the format of MNIST: two zero bytes, a type byte, the number of axes, their lengths as big-endian `u32`, then
//! the elements, big-endian. Also compressed with gzip. Y. LeCun, C. Cortes, C. J. C. Burges, *The MNIST database*, 1998.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::element::{Element, Layout, Order, Stored};
use super::npz::MOST_INFLATION;
use super::{Fault, Raw};

/// The array of a whole file.
pub(super) fn parse(bytes: &[u8]) -> Result<Raw, Fault> {
    let (stored, start) = header(bytes)?;
    stored.array(&bytes[start..])
}

/// The array of a file compressed with gzip, which is inflated only up to the size that the header states.
pub(super) fn parse_gz(bytes: &[u8]) -> Result<Raw, Fault> {
    let unreadable = |e: std::io::Error| Fault::new(format!("cannot be unpacked as gzip: {e}"));
    let mut unpacked = MultiGzDecoder::new(bytes);
    let mut content = Vec::new();
    unpacked.by_ref().take(4 + 4 * 255).read_to_end(&mut content).map_err(unreadable)?;
    let (stored, start) = header(&content)?;
    let total = (stored.bytes()? as u64).saturating_add(start as u64);
    if total > (bytes.len() as u64).saturating_mul(MOST_INFLATION) {
        let (shape, packed) = (&stored.shape, bytes.len());
        return Err(Fault::new(format!("shape {shape:?} takes {total} bytes, which {packed} packed bytes cannot hold")));
    }
    // One byte more than stated, so that a longer file is noticed.
    let rest = (total + 1).saturating_sub(content.len() as u64);
    unpacked.take(rest).read_to_end(&mut content).map_err(unreadable)?;
    stored.array(&content[start..])
}

fn header(bytes: &[u8]) -> Result<(Stored, usize), Fault> {
    let [0, 0, kind, axes, rest @ ..] = bytes else {
        return Err(Fault::new("not an IDX file: it does not begin with two zero bytes, a type and a number of axes"));
    };
    let element = match kind {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        other => return Err(Fault::new(format!("unknown IDX type 0x{other:02x}; known are 08, 09, 0b, 0c, 0d, 0e"))),
    };
    let axes = usize::from(*axes);
    let lengths = rest.get(..4 * axes).ok_or_else(|| Fault::new("the IDX header is truncated"))?;
    let shape = lengths.as_chunks::<4>().0.iter().map(|length| u32::from_be_bytes(*length) as usize).collect();
    Ok((Stored { shape, element, order: Order::Big, layout: Layout::Last }, 4 + 4 * axes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn images_plain_and_packed() {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3];
        bytes.extend(1..=6);
        for raw in [parse(&bytes).unwrap(), parse_gz(&gz(&bytes)).unwrap()] {
            assert_eq!((raw.values.shape(), raw.integer), (&[2, 1, 3][..], true));
            assert_eq!(raw.values.iter().copied().collect::<Vec<_>>(), [1., 2., 3., 4., 5., 6.]);
        }
        let floats = [&[0, 0, 0x0d, 1, 0, 0, 0, 1][..], &(-2.5f32).to_be_bytes()].concat();
        assert_eq!(parse(&floats).unwrap().values.first(), Some(&-2.5));
    }

    #[test]
    fn damaged_files_are_errors() {
        let bytes = [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3];
        assert!(parse(&bytes[..10]).unwrap_err().what.contains("truncated"));
        assert!(parse(&bytes[..6]).unwrap_err().what.contains("header is truncated"));
        assert!(parse(&[bytes.as_slice(), &[4]].concat()).unwrap_err().what.contains("follows"));
        assert!(parse_gz(&gz(&[bytes.as_slice(), &[4]].concat())).unwrap_err().what.contains("follows"));
        assert!(parse(&[0, 0, 7, 1, 0, 0, 0, 1, 0]).unwrap_err().what.contains("0x07"));
        let huge = [0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
        assert!(parse(&huge).unwrap_err().what.contains("more than"));
        let large = gz(&[0, 0, 14, 1, 0x10, 0, 0, 0]);
        assert!(parse_gz(&large).unwrap_err().what.contains("packed bytes cannot hold"));
        assert!(parse_gz(&bytes).is_err());
    }
}
