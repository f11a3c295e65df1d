//! Element types of ONNX tensors. Latlas computes with floats only; the type decides what an operator means (integer
//! division, casts), not how numbers are stored.

use crate::{Error, Result};

/// The element type of a tensor in the model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Dtype {
    F16,
    Bf16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl Dtype {
    /// The type that `TensorProto.DataType` numbers so; complex, string, 4- and 8-bit float types are refused by name.
    pub fn from_onnx(number: i64, whose: &str) -> Result<Self> {
        let name = match number {
            1 => return Ok(Self::F32),
            2 => return Ok(Self::U8),
            3 => return Ok(Self::I8),
            4 => return Ok(Self::U16),
            5 => return Ok(Self::I16),
            6 => return Ok(Self::I32),
            7 => return Ok(Self::I64),
            9 => return Ok(Self::Bool),
            10 => return Ok(Self::F16),
            11 => return Ok(Self::F64),
            12 => return Ok(Self::U32),
            13 => return Ok(Self::U64),
            16 => return Ok(Self::Bf16),
            8 => "string",
            14 | 15 => "complex",
            17..=20 => "8-bit float",
            21 | 22 => "4-bit integer",
            23 => "4-bit float",
            _ => "unknown",
        };
        Err(Error::Malformed { what: format!("{whose} has elements of an unsupported type: {name} (number {number})") })
    }

    /// Half, single or double precision.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// Signed or unsigned integer; not a truth value.
    pub fn is_int(self) -> bool {
        !self.is_float() && self != Self::Bool
    }

    /// Unsigned integer.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32 | Self::U64)
    }

    /// Bytes of one element in a file.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }
}
