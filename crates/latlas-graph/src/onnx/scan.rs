//! What a file will take in memory once it is decoded, found without decoding it.
//!
//! Two bytes of a hostile file can stand for a message of a few hundred, so the size of the file bounds nothing.

use std::mem::size_of;

use super::proto::{
    AttributeProto, DimensionProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, SparseTensorProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::{Error, Result};

/// What a field holds, by what it takes in memory.
#[derive(Clone, Copy)]
enum Field {
    /// A message of its own.
    Message(Kind),
    /// Text: a string and its bytes.
    Text,
    /// Numbers that take so many bytes for each byte in the file.
    Numbers(usize),
    /// Bytes that are used in place, or a field that is not read.
    InPlace,
}

#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    Entry,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Dimension,
    Function,
    OperatorSet,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Model => size_of::<ModelProto>(),
            Self::Graph => size_of::<GraphProto>(),
            Self::Node => size_of::<NodeProto>(),
            Self::Attribute => size_of::<AttributeProto>(),
            Self::Tensor => size_of::<TensorProto>(),
            Self::Sparse => size_of::<SparseTensorProto>(),
            Self::Entry => size_of::<StringStringEntryProto>(),
            Self::ValueInfo => size_of::<ValueInfoProto>(),
            Self::Type => size_of::<TypeProto>(),
            Self::TensorType => size_of::<TensorTypeProto>(),
            Self::Shape => size_of::<TensorShapeProto>(),
            Self::Dimension => size_of::<DimensionProto>(),
            Self::Function => size_of::<FunctionProto>(),
            Self::OperatorSet => size_of::<OperatorSetIdProto>(),
        }
    }

    fn field(self, number: u64) -> Field {
        use Field::{InPlace, Message, Numbers, Text};
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6) => Message(Self::Graph),
            (Self::Model, 8) | (Self::Function, 9) => Message(Self::OperatorSet),
            (Self::Model, 25) => Message(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Message(Self::Node),
            (Self::Graph | Self::Attribute, 5) | (Self::Sparse, 1 | 2) => Message(Self::Tensor),
            (Self::Graph, 11..=13) => Message(Self::ValueInfo),
            (Self::Node, 5) | (Self::Function, 11) => Message(Self::Attribute),
            (Self::Attribute, 22) => Message(Self::Sparse),
            (Self::Tensor, 13) => Message(Self::Entry),
            (Self::ValueInfo, 2) => Message(Self::Type),
            (Self::Type, 1) => Message(Self::TensorType),
            (Self::TensorType, 2) => Message(Self::Shape),
            (Self::Shape, 1) => Message(Self::Dimension),
            (Self::Tensor, 1 | 5 | 7 | 11) | (Self::Attribute, 8) | (Self::Sparse, 3) => Numbers(8),
            (Self::Tensor, 4 | 10) | (Self::Attribute, 7) => Numbers(1),
            (Self::Graph | Self::Entry | Self::Dimension, 2)
            | (Self::Node, 1..=4 | 7 | 8)
            | (Self::Attribute, 1 | 21)
            | (Self::Tensor, 8)
            | (Self::Entry | Self::ValueInfo | Self::OperatorSet, 1)
            | (Self::Function, 1 | 4 | 5 | 10 | 13) => Text,
            _ => InPlace,
        }
    }
}

/// Checks that a model takes at most `limit` bytes in memory, those that are used in place not counted.
pub fn check(bytes: &[u8], limit: u64) -> Result<()> {
    // Vectors grow by doubling, and hold old and new while they do.
    let got = memory(Kind::Model, bytes, 0)?.saturating_mul(3);
    if got > limit {
        return Err(Error::Limit { what: "memory for the structure of the model, in bytes,".into(), got, limit });
    }
    Ok(())
}

fn memory(kind: Kind, mut bytes: &[u8], depth: usize) -> Result<u64> {
    /// As deep as the decoder goes.
    const DEEPEST: usize = 100;
    let malformed = |what: &str| Error::Malformed { what: what.into() };
    if depth > DEEPEST {
        return Err(malformed("messages are nested too deeply"));
    }
    let mut total = kind.size() as u64;
    while !bytes.is_empty() {
        let key = varint(&mut bytes).ok_or_else(|| malformed("a field is cut off"))?;
        let field = kind.field(key >> 3);
        match key & 7 {
            0 => {
                varint(&mut bytes).ok_or_else(|| malformed("a number is cut off"))?;
                total += 8;
            }
            1 => bytes = bytes.get(8..).ok_or_else(|| malformed("a number is cut off"))?,
            5 => {
                bytes = bytes.get(4..).ok_or_else(|| malformed("a number is cut off"))?;
                total += 4;
            }
            2 => {
                let length = varint(&mut bytes).and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= bytes.len());
                let length = length.ok_or_else(|| malformed("the file ends inside a field; it is cut off"))?;
                let (inside, rest) = bytes.split_at(length);
                bytes = rest;
                total += match field {
                    Field::Message(kind) => memory(kind, inside, depth + 1)?,
                    Field::Text => (size_of::<String>() + length) as u64,
                    Field::Numbers(size) => (size * length) as u64,
                    Field::InPlace => 0,
                };
            }
            _ => return Err(malformed("a field has an unknown encoding")),
        }
    }
    Ok(total)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127).checked_shl(shift).unwrap_or(0);
        if byte < 128 {
            return Some(value);
        }
    }
    None
}
