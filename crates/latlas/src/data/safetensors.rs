//! Safetensors: a JSON header with dtype, shape and offsets of each tensor, then the bytes.

use safetensors::{Dtype, SafeTensors};

use super::element::{Element, Layout, Order, Stored};
use super::{Fault, Raw, choose};

/// The tensor `key`, or the only one.
pub(super) fn parse(bytes: &[u8], key: Option<&str>) -> Result<Raw, Fault> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| Fault::new(format!("not a safetensors file: {e}")))?;
    let mut names: Vec<String> = file.names().into_iter().map(str::to_string).collect();
    names.sort_unstable();
    let name = choose(&names, key)?;
    let tensor = file.tensor(name).map_err(|e| Fault::new(format!("tensor {name:?}: {e}")))?;
    let element = match tensor.dtype() {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::U16 => Element::U16,
        Dtype::U32 => Element::U32,
        Dtype::U64 => Element::U64,
        Dtype::I8 => Element::I8,
        Dtype::I16 => Element::I16,
        Dtype::I32 => Element::I32,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        other => {
            return Err(Fault::new(format!("tensor {name:?} has elements {other:?}; read are BOOL, integers, F16, BF16, F32 and F64")));
        }
    };
    let stored = Stored { shape: tensor.shape().to_vec(), element, order: Order::Little, layout: Layout::Last };
    stored.array(tensor.data()).map_err(|fault| Fault { what: format!("tensor {name:?}: {}", fault.what), ..fault })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn a_tensor_is_found_by_its_key() {
        let header = r#"{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"I32","shape":[1,1],"data_offsets":[4,8]}}"#;
        let bytes = file(header, &[0x80, 0x3f, 0x00, 0xc0, 7, 0, 0, 0]);
        let a = parse(&bytes, Some("a")).unwrap();
        assert_eq!((a.values.as_slice(), a.integer), (Some(&[1., -2.][..]), false));
        let b = parse(&bytes, Some("b")).unwrap();
        assert_eq!((b.values.shape(), b.values.first(), b.integer), (&[1, 1][..], Some(&7.), true));
        assert_eq!(parse(&bytes, Some("c")).unwrap_err().what, "no array \"c\"; the file holds \"a\", \"b\"");
        assert!(parse(&bytes, None).unwrap_err().hint.is_some());
    }

    #[test]
    fn damaged_files_are_errors() {
        let header = r#"{"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#;
        assert!(parse(&file(header, &[0; 8]), None).is_err());
        let header = r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
        assert!(parse(&file(header, &[0; 8]), None).is_ok());
        assert!(parse(&file(header, &[0; 7]), None).is_err());
        assert!(parse(&u64::MAX.to_le_bytes(), None).is_err());
    }
}
