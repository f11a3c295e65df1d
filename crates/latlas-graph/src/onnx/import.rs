//! The import itself: nodes are called in order, functions and branches with a known condition are inlined.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::call::Call;
use super::external::Folder;
use super::fold;
use super::ops::{self, Entry};
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, is_standard};
use super::schedule::schedule;
use super::tensor::decode;
use super::value::{Content, Known, Value};
use super::{LoadOptions, MAX_OPSET, MIN_OPSET};
use crate::graph::ImportedOperator;
use crate::ops::Form;
use crate::{Builder, Data, Error, Op, Result, UnsupportedOperator};

/// The state of one import.
pub struct Importer<'a> {
    /// The graph that grows.
    pub builder: Builder,
    /// The operators met so far.
    pub operators: Vec<ImportedOperator>,
    /// Those that nobody knows, one entry an operator and reason.
    pub unsupported: Vec<UnsupportedOperator>,
    functions: HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>,
    folder: &'a Folder,
    options: &'a LoadOptions,
    calls: usize,
    bytes: u64,
}

/// The names that are visible at one place: tensors, attributes of the enclosing function, operator sets.
pub struct Scope<'s> {
    /// Tensors by name; `None` where one lies behind an operator that nobody knows.
    pub tensors: HashMap<String, Option<Value>>,
    outer: Option<&'s Scope<'s>>,
    attributes: HashMap<&'s str, &'s AttributeProto>,
    opset: i64,
}

impl<'s> Scope<'s> {
    /// The scope of a whole model.
    pub fn of_model(opsets: &[OperatorSetIdProto]) -> Result<Self> {
        let opset = opset_of(opsets)?;
        Ok(Self { tensors: HashMap::new(), outer: None, attributes: HashMap::new(), opset })
    }

    fn of_branch(outer: &'s Scope<'s>) -> Self {
        Self { tensors: HashMap::new(), outer: Some(outer), attributes: outer.attributes.clone(), opset: outer.opset }
    }

    /// The tensor with this name, here or further out.
    pub fn find(&self, name: &str) -> Option<&Option<Value>> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some(value) = here.tensors.get(name) {
                return Some(value);
            }
            scope = here.outer;
        }
        None
    }

    fn resolve<'n>(&self, node: &'n NodeProto) -> Vec<(&'n str, &'n AttributeProto)>
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
fn opset_of(opsets: &[OperatorSetIdProto]) -> Result<i64> {
    let version = opsets.iter().filter(|o| is_standard(&o.domain)).map(|o| o.version).max();
    let version = version.ok_or_else(|| Error::Malformed { what: "it names no version of the standard operators".into() })?;
    if (MIN_OPSET..=MAX_OPSET).contains(&version) {
        return Ok(version);
    }
    Err(Error::Node {
        node: String::new(),
        op: "opset".into(),
        what: format!("operator set {version} is not between {MIN_OPSET} and {MAX_OPSET}"),
        hint: Some(format!("export the model again with `opset_version={}`", version.clamp(MIN_OPSET, MAX_OPSET))),
    })
}

impl<'a> Importer<'a> {
    /// Nothing imported yet.
    pub fn new(functions: &'a [FunctionProto], folder: &'a Folder, options: &'a LoadOptions) -> Self {
        let key = |f: &'a FunctionProto| ((f.domain.as_str(), f.name.as_str(), f.overload.as_str()), f);
        Self {
            builder: Builder::new(),
            operators: Vec::new(),
            unsupported: Vec::new(),
            functions: functions.iter().map(key).collect(),
            folder,
            options,
            calls: 0,
            bytes: 0,
        }
    }

    /// Computes the `wanted` tensors of a graph into `scope`.
    pub fn run(
        &mut self,
        nodes: &[NodeProto],
        initializers: &[TensorProto],
        wanted: &[&str],
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<()> {
        let limit = self.options.limits.max_depth;
        if depth > limit {
            return Err(Error::Limit { what: "nesting of functions and branches".into(), got: depth as u64, limit: limit as u64 });
        }
        let given: HashSet<&str> = scope.tensors.keys().map(String::as_str).collect();
        let plan = schedule(nodes, wanted, &given, limit)?;
        let mut constants: HashMap<&str, &TensorProto> = HashMap::new();
        for tensor in initializers {
            if constants.insert(&tensor.name, tensor).is_some() {
                return Err(Error::Malformed { what: format!("initializer {:?} stands twice", tensor.name) });
            }
        }
        for name in plan.free {
            if let Some(tensor) = constants.get(name) {
                let (dtype, tensor) = decode(tensor, self.folder)?;
                let mut value = Value::known(dtype, tensor);
                if let (true, Content::Known(known)) = (self.options.parameters && dtype.is_float(), &mut value.content) {
                    known.parameter = Some(Rc::from(name));
                }
                scope.tensors.insert(name.into(), Some(value));
            } else if scope.find(name).is_none() {
                return Err(Error::Malformed { what: format!("tensor {name:?} is used, but nothing makes it") });
            }
        }
        plan.order.into_iter().try_for_each(|node| self.step(node, scope, depth))
    }

    fn step(&mut self, node: &NodeProto, scope: &mut Scope<'_>, depth: usize) -> Result<()> {
        let limit = self.options.limits.max_nodes;
        self.calls += 1;
        if self.calls > limit {
            return Err(Error::Limit { what: "number of nodes".into(), got: self.calls as u64, limit: limit as u64 });
        }
        let find = |name: &String| {
            if name.is_empty() {
                return Ok(Some(None));
            }
            let missing = || Error::Malformed {
                what: format!("node {:?} uses tensor {name:?}, which nothing makes or which Latlas does not compute", node.label()),
            };
            Ok(scope.find(name).ok_or_else(missing)?.clone().map(Some))
        };
        let inputs = node.input.iter().map(find).collect::<Result<Vec<Option<Option<Value>>>>>()?;
        let function = self.functions.get(&(node.domain.as_str(), node.op_type.as_str(), node.overload.as_str())).copied();
        let results = if let Some(function) = function {
            self.inline(function, node, inputs, scope, depth)?
        } else {
            match (inputs.into_iter().collect::<Option<Vec<_>>>(), ops::find(node)) {
                (None, entry) => {
                    if entry.is_none() && node.op_type != "If" {
                        self.note(unknown(node));
                    }
                    None
                }
                (Some(inputs), _) if is_standard(&node.domain) && node.op_type == "If" => self.branch(node, &inputs, scope, depth)?,
                (Some(_), None) => {
                    self.note(unknown(node));
                    None
                }
                (Some(inputs), Some(entry)) => match self.call(node, entry, inputs, scope) {
                    Ok(values) => Some(values.into_iter().map(Some).collect()),
                    Err(Error::Unsupported { operators }) => {
                        operators.into_iter().for_each(|o| self.note(o));
                        None
                    }
                    Err(error) => return Err(error),
                },
            }
        };
        let names = node.output.iter().filter(|n| !n.is_empty());
        match results {
            None => names.for_each(|name| drop(scope.tensors.insert(name.clone(), None))),
            Some(values) => {
                for (name, value) in node.output.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
                    scope.tensors.insert(name.clone(), value);
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, node: &NodeProto, entry: &Entry, mut inputs: Vec<Option<Value>>, scope: &Scope<'_>) -> Result<Vec<Value>> {
        while inputs.last().is_some_and(Option::is_none) {
            inputs.pop();
        }
        let first_new = self.builder.graph().nodes().len();
        let mut call = Call {
            b: &mut self.builder,
            opset: scope.opset,
            proto: node,
            attributes: scope.resolve(node),
            inputs,
            folder: self.folder,
            max_elements: self.options.limits.max_elements,
            folding: false,
            mixed: None,
            mask: None,
        };
        let mut results = fold::call(&mut call, entry.handler)?;
        for value in &mut results {
            if value.mixed.is_none() {
                value.mixed.clone_from(&call.mixed);
            }
            if value.batch.is_some() && value.mask.is_none() {
                value.mask.clone_from(&call.mask);
            }
            call.elements(&value.shape)?;
        }
        self.account(first_new)?;
        let folded = results.iter().all(|v| matches!(v.content, Content::Known(_)));
        self.operators.push(ImportedOperator {
            op: node.op_type.clone(),
            name: node.label().into(),
            kind: entry.kind,
            kink: entry.kink && !folded,
        });
        Ok(results)
    }

    /// Counts the memory of constants and index tables that the last call made.
    fn account(&mut self, first_new: usize) -> Result<()> {
        for node in &self.builder.graph().nodes()[first_new.min(self.builder.graph().nodes().len())..] {
            let bytes = match &node.op {
                Op::Map(map) | Op::Scatter(map) | Op::ArgExtreme { windows: map, .. } => match map.form() {
                    Form::Table(table) => 4 * table.len(),
                    Form::Strided { .. } => 0,
                },
                Op::Constant(tensor) if matches!(tensor.data(), Data::F64(_)) => 8 * tensor.len(),
                _ => 0,
            };
            self.bytes += 256 + bytes as u64;
        }
        let limit = self.options.limits.max_memory;
        if self.bytes > limit {
            return Err(Error::Limit { what: "memory of constants and index tables, in bytes,".into(), got: self.bytes, limit });
        }
        Ok(())
    }

    fn inline(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        inputs: Vec<Option<Option<Value>>>,
        outer: &Scope<'_>,
        depth: usize,
    ) -> Result<Option<Vec<Option<Value>>>> {
        let mut attributes: HashMap<&str, &AttributeProto> = function.attribute_proto.iter().map(|a| (a.name.as_str(), a)).collect();
        attributes.extend(outer.resolve(node));
        let opset =
            if function.opset_import.iter().any(|o| is_standard(&o.domain)) { opset_of(&function.opset_import)? } else { outer.opset };
        let mut scope = Scope { tensors: HashMap::new(), outer: None, attributes, opset };
        for (name, value) in function.input.iter().zip(inputs) {
            // `Some(None)` is an input left out: it stays unknown inside, so that a use of it is found there.
            match value {
                Some(Some(value)) => drop(scope.tensors.insert(name.clone(), Some(value))),
                Some(None) => {}
                None => drop(scope.tensors.insert(name.clone(), None)),
            }
        }
        let wanted: Vec<&str> = function.output.iter().map(String::as_str).collect();
        self.run(&function.node, &[], &wanted, &mut scope, depth + 1)?;
        Ok(Some(wanted.iter().map(|name| scope.tensors.get(*name).cloned().flatten()).collect()))
    }

    fn branch(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<Value>],
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Option<Vec<Option<Value>>>> {
        let known = match inputs.first().and_then(Option::as_ref).map(|v| &v.content) {
            Some(Content::Known(known)) if known.one.len() == 1 => Some(known),
            _ => None,
        };
        let Some(Known { one, witness, .. }) = known else {
            self.note(UnsupportedOperator { reason: Some("its condition is computed from the model's inputs".into()), ..unknown(node) });
            return Ok(None);
        };
        // Where the branches differ for one sample and for many (`squeeze` asks this), the one for many is meant.
        let taken = witness.as_ref().unwrap_or(one).at(0) != 0.0;
        let name = if taken { "then_branch" } else { "else_branch" };
        let attribute = scope.resolve(node).into_iter().find(|(n, _)| *n == name).and_then(|(_, a)| a.g.as_deref());
        let body: &GraphProto =
            attribute.ok_or_else(|| Error::Malformed { what: format!("node {:?} (If) has no {name}", node.label()) })?;
        let wanted: Vec<&str> = body.output.iter().map(|o| o.name.as_str()).collect();
        let mut inner = Scope::of_branch(scope);
        self.run(&body.node, &body.initializer, &wanted, &mut inner, depth + 1)?;
        self.operators.push(ImportedOperator { op: "If".into(), name: node.label().into(), kind: None, kink: false });
        Ok(Some(wanted.iter().map(|name| inner.find(name).cloned().flatten()).collect()))
    }

    fn note(&mut self, operator: UnsupportedOperator) {
        match self.unsupported.iter_mut().find(|o| o.op == operator.op && o.reason == operator.reason) {
            Some(known) => known.count += 1,
            None => self.unsupported.push(operator),
        }
    }
}

fn unknown(node: &NodeProto) -> UnsupportedOperator {
    UnsupportedOperator { op: node.operator(), count: 1, first_node: node.label().into(), reason: ops::reason(node).map(Into::into) }
}
