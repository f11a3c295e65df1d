//! The names that are visible at one place of a model: tensors, attributes of the enclosing function, the operator set.

use std::collections::HashMap;

use super::proto::{AttributeProto, NodeProto, OperatorSetIdProto, is_standard};
use super::value::Value;
use super::{MAX_OPSET, MIN_OPSET};
use crate::{Error, Result};

/// A tensor behind an operator that nobody knows.
#[derive(Debug, Clone, Copy)]
pub struct Unknown;

/// What stands under a name: a tensor, nothing (an optional input that was left out), or what cannot be known.
pub type Slot = Result<Option<Value>, Unknown>;

/// Names and what they stand for, with those further out behind them.
pub struct Scope<'s> {
    slots: HashMap<String, Slot>,
    outer: Option<&'s Scope<'s>>,
    attributes: HashMap<&'s str, &'s AttributeProto>,
    /// The version of the standard operators.
    pub opset: i64,
}

impl<'s> Scope<'s> {
    /// The scope of a whole model.
    pub fn of_model(opsets: &[OperatorSetIdProto]) -> Result<Self> {
        let opset = opset_of(opsets)?.ok_or_else(|| Error::Malformed { what: "it names no version of the standard operators".into() })?;
        Ok(Self { slots: HashMap::new(), outer: None, attributes: HashMap::new(), opset })
    }

    /// The scope of a branch, which sees what is around it.
    pub fn of_branch(outer: &'s Scope<'s>) -> Self {
        Self { slots: HashMap::new(), outer: Some(outer), attributes: outer.attributes.clone(), opset: outer.opset }
    }

    /// The scope of a function, which sees its attributes only; it may state an operator set of its own.
    pub fn of_function(attributes: HashMap<&'s str, &'s AttributeProto>, opsets: &[OperatorSetIdProto], caller: i64) -> Result<Self> {
        Ok(Self { slots: HashMap::new(), outer: None, attributes, opset: opset_of(opsets)?.unwrap_or(caller) })
    }

    /// Puts a tensor under a name; whether there was one before.
    pub fn insert(&mut self, name: &str, value: Value) -> bool {
        self.slots.insert(name.into(), Ok(Some(value))).is_some()
    }

    /// Puts anything under a name.
    pub fn put(&mut self, name: &str, slot: Slot) {
        self.slots.insert(name.into(), slot);
    }

    /// The names of this scope itself.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
    }

    /// What stands under a name, here or further out.
    pub fn find(&self, name: &str) -> Option<&Slot> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some(slot) = here.slots.get(name) {
                return Some(slot);
            }
            scope = here.outer;
        }
        None
    }

    /// The tensor under a name, if there is one and it is known.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.find(name).and_then(|slot| slot.as_ref().ok()).and_then(Option::as_ref)
    }

    /// A node's attributes, those that refer to the function's replaced by what they are there.
    pub fn resolve<'n>(&self, node: &'n NodeProto) -> Vec<(&'n str, &'n AttributeProto)>
    where
        's: 'n,
    {
        let resolve = |a: &'n AttributeProto| {
            let actual = if a.ref_attr_name.is_empty() { Some(a) } else { self.attributes.get(a.ref_attr_name.as_str()).copied() };
            actual.map(|actual| (a.name.as_str(), actual))
        };
        node.attribute.iter().filter_map(resolve).collect()
    }
}

/// The version of the standard operators that a model or function asks for.
fn opset_of(opsets: &[OperatorSetIdProto]) -> Result<Option<i64>> {
    let version = opsets.iter().filter(|o| is_standard(&o.domain)).map(|o| o.version).max();
    match version {
        Some(version) if !(MIN_OPSET..=MAX_OPSET).contains(&version) => Err(Error::Node {
            node: String::new(),
            op: "opset".into(),
            what: format!("operator set {version} is not between {MIN_OPSET} and {MAX_OPSET}"),
            hint: Some(format!("export the model again with `opset_version={}`", version.clamp(MIN_OPSET.max(17), MAX_OPSET))),
        }),
        version => Ok(version),
    }
}
