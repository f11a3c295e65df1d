//! The import itself: nodes are called in order, functions and branches with a known condition are inlined.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::LoadOptions;
use super::call::Call;
use super::external::Folder;
use super::fold;
use super::ops::{self, Entry};
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto, TensorProto, is_standard};
use super::schedule::schedule;
use super::scope::{Scope, Slot, Unknown};
use super::tensor::decode;
use super::value::{Content, Known, Value};
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
        let deepest = self.options.limits.max_depth;
        if depth > deepest {
            return Err(Error::Limit { what: "nesting of functions and branches".into(), got: depth as u64, limit: deepest as u64 });
        }
        let limit = self.options.limits.max_nodes;
        // All nodes count, run or not: planning looks at each.
        self.calls += nodes.len();
        if self.calls > limit {
            return Err(Error::Limit { what: "number of nodes".into(), got: self.calls as u64, limit: limit as u64 });
        }
        let given: HashSet<&str> = scope.names().collect();
        let plan = schedule(nodes, wanted, &given, deepest)?;
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
                scope.insert(name, value);
            } else if scope.find(name).is_none() {
                return Err(Error::Malformed { what: format!("tensor {name:?} is used, but nothing makes it") });
            }
        }
        plan.order.into_iter().try_for_each(|node| self.step(node, scope, depth))
    }

    fn step(&mut self, node: &NodeProto, scope: &mut Scope<'_>, depth: usize) -> Result<()> {
        let find = |name: &String| {
            if name.is_empty() {
                return Ok(Ok(None));
            }
            scope.find(name).cloned().ok_or_else(|| Error::Malformed {
                what: format!("node {:?} uses tensor {name:?}, which nothing makes or which Latlas does not compute", node.label()),
            })
        };
        let inputs = node.input.iter().map(find).collect::<Result<Vec<Slot>>>()?;
        let function = self.functions.get(&(node.domain.as_str(), node.op_type.as_str(), node.overload.as_str())).copied();
        let results = match function {
            Some(function) => self.inline(function, node, inputs, scope, depth)?,
            None => self.operator(node, inputs, scope, depth)?.unwrap_or_else(|Unknown| vec![Err(Unknown); node.output.len()]),
        };
        for (name, slot) in node.output.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
            scope.put(name, slot);
        }
        Ok(())
    }

    /// The results of a standard operator, or that they cannot be known.
    fn operator(&mut self, node: &NodeProto, inputs: Vec<Slot>, scope: &Scope<'_>, depth: usize) -> Result<Result<Vec<Slot>, Unknown>> {
        let (entry, inputs) = (ops::find(node), inputs.into_iter().collect::<Result<Vec<_>, Unknown>>());
        let conditional = is_standard(&node.domain) && node.op_type == "If";
        let results = match (entry, inputs) {
            (_, Ok(inputs)) if conditional => return self.branch(node, &inputs, scope, depth),
            (Some(entry), Ok(inputs)) => self.call(node, entry, inputs, scope),
            (None, _) if !conditional => Err(Error::Unsupported { operators: vec![unknown(node)] }),
            _ => return Ok(Err(Unknown)),
        };
        match results {
            Ok(values) => Ok(Ok(values.into_iter().map(|v| Ok(Some(v))).collect())),
            Err(Error::Unsupported { operators }) => {
                for operator in operators {
                    self.note(operator);
                }
                Ok(Err(Unknown))
            }
            Err(error) => Err(error),
        }
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
            // A batch that was broadcast to some other length: the file is right for a single sample only, which needs no
            // tracking.
            value.batch = value.batch.filter(|b| value.shape.get(b.axis) == Some(&(b.outer * b.inner)));
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
        inputs: Vec<Slot>,
        outer: &Scope<'_>,
        depth: usize,
    ) -> Result<Vec<Slot>> {
        let mut attributes: HashMap<&str, &AttributeProto> = function.attribute_proto.iter().map(|a| (a.name.as_str(), a)).collect();
        attributes.extend(outer.resolve(node));
        let mut scope = Scope::of_function(attributes, &function.opset_import, outer.opset)?;
        let mut inputs = inputs.into_iter();
        for name in &function.input {
            scope.put(name, inputs.next().unwrap_or(Ok(None)));
        }
        let wanted: Vec<&str> = function.output.iter().map(String::as_str).collect();
        self.run(&function.node, &[], &wanted, &mut scope, depth + 1)?;
        Ok(wanted.iter().map(|name| scope.find(name).cloned().unwrap_or(Ok(None))).collect())
    }

    fn branch(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<Value>],
        scope: &Scope<'_>,
        depth: usize,
    ) -> Result<Result<Vec<Slot>, Unknown>> {
        let known = match inputs.first().and_then(Option::as_ref).map(|v| &v.content) {
            Some(Content::Known(known)) if known.one.len() == 1 => Some(known),
            _ => None,
        };
        let Some(Known { one, witness, .. }) = known else {
            self.note(UnsupportedOperator { reason: Some("its condition is computed from the model's inputs".into()), ..unknown(node) });
            return Ok(Err(Unknown));
        };
        // Where the branches differ for one sample and for many (`squeeze` asks this), the one for many is meant.
        let taken = witness.as_ref().filter(|w| w.len() == 1).unwrap_or(one).at(0) != 0.0;
        let name = if taken { "then_branch" } else { "else_branch" };
        let attribute = scope.resolve(node).into_iter().find(|(n, _)| *n == name).and_then(|(_, a)| a.g.as_deref());
        let body: &GraphProto =
            attribute.ok_or_else(|| Error::Malformed { what: format!("node {:?} (If) has no {name}", node.label()) })?;
        let wanted: Vec<&str> = body.output.iter().map(|o| o.name.as_str()).collect();
        let mut inner = Scope::of_branch(scope);
        self.run(&body.node, &body.initializer, &wanted, &mut inner, depth + 1)?;
        self.operators.push(ImportedOperator { op: "If".into(), name: node.label().into(), kind: None, kink: false });
        Ok(Ok(wanted.iter().map(|name| inner.find(name).cloned().unwrap_or(Ok(None))).collect()))
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
