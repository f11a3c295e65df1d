//! Constant arrays of the file: raw bytes, typed fields or external data, widened where they are not `f32` already.

use std::sync::Arc;

use half::{bf16, f16};
use prost::bytes::Bytes;

use super::MAX_RANK;
use super::dtype::Dtype;
use super::external::Folder;
use super::proto::{EXTERNAL, TensorProto};
use crate::{Data, Error, Result, Tensor};

/// Decodes a tensor. `f32` bytes are used in place, everything else is widened to `f64`.
pub fn decode(proto: &TensorProto, folder: &Folder) -> Result<(Dtype, Tensor)> {
    let whose = format!("tensor {:?}", proto.name);
    let dtype = Dtype::from_onnx(proto.data_type.into(), &whose)?;
    let malformed = |what: String| Error::Malformed { what: format!("{whose} {what}") };
    let dims: Option<Vec<usize>> = proto.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| malformed(format!("has a negative dimension: {:?}", proto.dims)))?;
    if dims.len() > MAX_RANK {
        return Err(malformed(format!("has {} axes, more than {MAX_RANK}", dims.len())));
    }
    let len = element_count(&dims).ok_or_else(|| malformed(format!("has too many elements: {dims:?}")))?;
    let fits = |got: usize| {
        if got == len { Ok(()) } else { Err(malformed(format!("of shape {dims:?} needs {len} elements, its data has {got}"))) }
    };
    let bytes = if proto.data_location == EXTERNAL {
        Some(folder.external(proto, len.checked_mul(dtype.bytes()))?)
    } else {
        proto.raw_data.clone()
    };
    if let Some(bytes) = bytes {
        if bytes.len() % dtype.bytes() != 0 {
            return Err(malformed(format!("has {} bytes of data, not a multiple of {}", bytes.len(), dtype.bytes())));
        }
        fits(bytes.len() / dtype.bytes())?;
        folder.take(len, widened_bytes(dtype))?;
        return Ok((dtype, Tensor::from_data(dims, from_bytes(dtype, bytes))));
    }
    folder.take(typed_len(proto, dtype), 8)?;
    let data = typed(proto, dtype);
    fits(data.len())?;
    Ok((dtype, Tensor::from_data(dims, data)))
}

/// Bytes that one element takes here beside those of the file.
fn widened_bytes(dtype: Dtype) -> usize {
    match dtype {
        Dtype::F32 => 0,
        Dtype::F16 | Dtype::Bf16 => 4,
        _ => 8,
    }
}

/// The product of dimensions, if it can be held.
pub fn element_count(dims: &[usize]) -> Option<usize> {
    // A zero must not hide an overflow of the others: strides are products of them as well.
    let product = dims.iter().map(|&d| d.max(1)).try_fold(1usize, usize::checked_mul).filter(|&n| isize::try_from(n).is_ok())?;
    Some(if dims.contains(&0) { 0 } else { product })
}

fn from_bytes(dtype: Dtype, bytes: Bytes) -> Data {
    macro_rules! widen {
        ($t:ty, $n:literal, $as:expr) => {
            widen!(Data::F64, $t, $n, $as)
        };
        ($data:path, $t:ty, $n:literal, $as:expr) => {
            $data(
                bytes
                    .chunks_exact($n)
                    .map(|c| {
                        let mut word = [0; $n];
                        word.copy_from_slice(c);
                        $as(<$t>::from_le_bytes(word))
                    })
                    .collect(),
            )
        };
    }
    match dtype {
        Dtype::F32 => {
            let range = 0..bytes.len();
            Data::Mapped(Arc::new(bytes), range)
        }
        Dtype::F16 => widen!(Data::F32, f16, 2, f16::to_f32),
        Dtype::Bf16 => widen!(Data::F32, bf16, 2, bf16::to_f32),
        Dtype::F64 => widen!(f64, 8, |x| x),
        Dtype::I8 => widen!(i8, 1, f64::from),
        Dtype::I16 => widen!(i16, 2, f64::from),
        Dtype::I32 => widen!(i32, 4, f64::from),
        Dtype::I64 => widen!(i64, 8, |x| x as f64),
        Dtype::U8 => widen!(u8, 1, f64::from),
        Dtype::U16 => widen!(u16, 2, f64::from),
        Dtype::U32 => widen!(u32, 4, f64::from),
        Dtype::U64 => widen!(u64, 8, |x| x as f64),
        Dtype::Bool => widen!(u8, 1, |x| f64::from(u8::from(x != 0))),
    }
}

/// The number of elements in the typed field of a type.
fn typed_len(proto: &TensorProto, dtype: Dtype) -> usize {
    match dtype {
        Dtype::F32 => proto.float_data.len(),
        Dtype::F64 => proto.double_data.len(),
        Dtype::I64 => proto.int64_data.len(),
        Dtype::U32 | Dtype::U64 => proto.uint64_data.len(),
        _ => proto.int32_data.len(),
    }
}

/// The typed fields: each holds several element types.
fn typed(proto: &TensorProto, dtype: Dtype) -> Data {
    let words = |as_float: fn(i32) -> f64| Data::F64(proto.int32_data.iter().map(|&x| as_float(x)).collect());
    match dtype {
        Dtype::F32 => Data::F32(proto.float_data.as_slice().into()),
        Dtype::F64 => Data::F64(proto.double_data.as_slice().into()),
        Dtype::I64 => Data::F64(proto.int64_data.iter().map(|&x| x as f64).collect()),
        Dtype::U32 | Dtype::U64 => Data::F64(proto.uint64_data.iter().map(|&x| x as f64).collect()),
        Dtype::F16 => words(|x| f16::from_bits(x as u16).to_f64()),
        Dtype::Bf16 => words(|x| bf16::from_bits(x as u16).to_f64()),
        Dtype::Bool => words(|x| f64::from(u8::from(x != 0))),
        Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::U8 | Dtype::U16 => words(f64::from),
    }
}
