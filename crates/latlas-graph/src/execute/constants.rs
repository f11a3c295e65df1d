//! What a program computes from constants, once.

use std::sync::Arc;

use super::Real;
use super::kernels::{Layout, Scratch, turn};
use super::plan::{Group, Phase, Place, Plan, Turned};
use super::tile::{Around, Memory, Step};
use crate::{Graph, NodeId, Op, Result, Tensor};

/// A value that the program keeps between runs.
#[derive(Debug, Clone)]
enum Kept<T> {
    /// Computed, or converted.
    Own(Vec<T>),
    /// A constant of this very type, where it was loaded.
    Shared(Arc<[T]>),
}

impl<T: Real> Kept<T> {
    /// A constant.
    fn constant(tensor: &Tensor) -> Self {
        match T::shared(tensor.data()) {
            Some(shared) => Self::Shared(shared),
            None => Self::Own((0..tensor.len()).map(|i| T::from_f64(tensor.at(i))).collect()),
        }
    }

    /// Its elements.
    fn elements(&self) -> &[T] {
        match self {
            Self::Own(values) => values,
            Self::Shared(values) => values,
        }
    }
}

/// Constants, and values computed from them.
#[derive(Debug)]
pub struct Constants<T> {
    kept: Vec<Option<Kept<T>>>,
    turned: Vec<Vec<T>>,
}

impl<T: Real> Constants<T> {
    /// Computes what depends on constants only, and keeps what a later phase reads.
    pub fn new(graph: &Graph, plan: &Plan) -> Result<Self> {
        let mut last_reader = vec![0; plan.roots.len()];
        for (i, group) in plan.groups.iter().enumerate() {
            group.values().for_each(|id| last_reader[plan.root(id).index()] = i);
        }
        let mut needed = vec![false; plan.roots.len()];
        let later = plan.groups.iter().filter(|g| plan.phase_of(g) != Phase::Once).flat_map(Group::values);
        let ports = graph.outputs.iter().map(|p| p.node);
        later.chain(ports).chain(plan.turned.iter().map(|t| t.node)).for_each(|id| needed[plan.root(id).index()] = true);

        let mut constants = Self { kept: vec![None; plan.roots.len()], turned: vec![] };
        let mut scratch = Scratch::default();
        for (i, group) in plan.groups.iter().enumerate().filter(|(_, g)| plan.phase_of(g) == Phase::Once) {
            group.values().for_each(|id| constants.load(graph, plan.root(id)));
            let step = Step::new(graph, plan, group, 1)?;
            let mut out = vec![T::ZERO; step.len];
            let around = Around { constants: &constants, inputs: &[], globals: &[] };
            step.run(&Memory { around, slots: &[], outputs: &[] }, &mut out, &mut scratch);
            constants.kept[group.result().index()] = Some(Kept::Own(out));
            for root in group.values().map(|id| plan.root(id).index()).filter(|&root| last_reader[root] == i && !needed[root]) {
                constants.kept[root] = None;
            }
        }
        for i in (0..needed.len()).filter(|&i| needed[i] && plan.phases[i] == Phase::Once) {
            constants.load(graph, NodeId(i as u32));
        }
        let turned =
            |t: &Turned| turn(constants.kept(plan.root(t.node).index()), &Layout::of(graph, graph.node(t.node), 1).turned(&t.order));
        constants.turned = plan.turned.iter().map(turned).collect();
        // What is read in another order only need not be kept in its own.
        for (kept, place) in constants.kept.iter_mut().zip(&plan.places) {
            if !matches!(place, Place::Kept(_)) {
                *kept = None;
            }
        }
        Ok(constants)
    }

    /// A value, by node.
    pub fn kept(&self, node: usize) -> &[T] {
        self.kept[node].as_ref().map_or(&[], Kept::elements)
    }

    /// A constant in another order, by position in [`Plan::turned`].
    pub fn turned(&self, i: usize) -> &[T] {
        &self.turned[i]
    }

    fn load(&mut self, graph: &Graph, root: NodeId) {
        if self.kept[root.index()].is_none() {
            self.kept[root.index()] = match &graph.node(root).op {
                Op::Constant(tensor) => Some(Kept::constant(tensor)),
                Op::Count(axis) => Some(Kept::Own(vec![T::from_f64(graph.axis_size(*axis, 0) as f64)])),
                _ => None,
            };
        }
    }
}
