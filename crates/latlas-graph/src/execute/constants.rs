//! What a program computes from constants, once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Real;
use super::kernels::product::Packed;
use super::kernels::{Scratch, transpose};
use super::plan::{Group, Phase, Place, Plan};
use super::shared::form;
use super::tile::{Around, Memory, Step};
use crate::{Graph, NodeId, Op, Result, Tensor};

/// A value that the program keeps between runs.
#[derive(Debug, Clone)]
enum Kept<T> {
    /// Computed.
    Own(Vec<T>),
    /// A constant of this very type, where it was loaded.
    Loaded(Arc<[T]>),
    /// A constant in another type or order, from when it is first read: where kernels have packed forms of it, it never is.
    Converted(Constant, OnceLock<Arc<Vec<T>>>),
}

/// A constant of the graph.
#[derive(Debug, Clone)]
struct Constant {
    tensor: Arc<Tensor>,
    /// Elements of an item.
    item: usize,
    /// The channels of its items, where these lie transposed.
    channels: Option<usize>,
}

impl Constant {
    /// Its elements in the type and order in which they are read.
    fn converted<T: Real>(&self) -> Vec<T> {
        let all: Vec<T> = self.tensor.map(T::from_f64);
        let Some(channels) = self.channels else { return all };
        let mut values = vec![T::ZERO; all.len()];
        for (from, to) in all.chunks_exact(self.item).zip(values.chunks_exact_mut(self.item)) {
            transpose(from, [channels, self.item / channels], to);
        }
        values
    }

    fn key(&self) -> Vec<usize> {
        self.channels.map_or(vec![], |channels| vec![self.item, channels])
    }
}

impl<T: Real> Kept<T> {
    fn constant(constant: Constant) -> Self {
        match T::shared(constant.tensor.data()).filter(|_| constant.channels.is_none()) {
            Some(loaded) => Self::Loaded(loaded),
            None => Self::Converted(constant, OnceLock::new()),
        }
    }

    /// Its elements.
    fn elements(&self) -> &[T] {
        match self {
            Self::Own(values) => values,
            Self::Loaded(values) => values,
            Self::Converted(constant, values) => {
                values.get_or_init(|| form(&constant.tensor, constant.key(), || constant.converted::<T>()))
            }
        }
    }

    /// Its elements for one use, after which nothing more is kept than before.
    fn once<V>(&self, of: impl FnOnce(&[T]) -> V) -> V {
        match self {
            Self::Converted(constant, values) if values.get().is_none() => of(&constant.converted::<T>()),
            _ => of(self.elements()),
        }
    }
}

/// Constants, and values computed from them.
#[derive(Debug)]
pub struct Constants<T> {
    kept: Vec<Option<Kept<T>>>,
    /// Nodes that are constants of the graph, with the channels of those whose items lie transposed.
    tensors: BTreeMap<usize, (Arc<Tensor>, Option<usize>)>,
    /// Right operands of products, by node and by the way that they are packed.
    packed: Mutex<BTreeMap<Key, Arc<Packed<T>>>>,
}

/// A node, and the way that it is packed.
type Key = (usize, Vec<usize>);

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
        later.chain(ports).for_each(|id| needed[plan.root(id).index()] = true);

        let mut constants = Self { kept: vec![None; plan.roots.len()], tensors: BTreeMap::new(), packed: Mutex::default() };
        let mut scratch = Scratch::default();
        for (i, group) in plan.groups.iter().enumerate().filter(|(_, g)| plan.phase_of(g) == Phase::Once) {
            group.values().for_each(|id| constants.load(graph, plan, plan.root(id)));
            let step = Step::new(graph, plan, group, 1, &constants)?;
            let mut out = vec![T::ZERO; step.len];
            let around = Around { constants: &constants, inputs: &[], globals: &[] };
            step.run(&Memory { around, slots: &[], outputs: &[] }, 0, &mut out, &mut scratch);
            constants.kept[group.result().index()] = Some(Kept::Own(out));
            for root in group.values().map(|id| plan.root(id).index()).filter(|&root| last_reader[root] == i && !needed[root]) {
                constants.kept[root] = None;
            }
        }
        for i in (0..needed.len()).filter(|&i| needed[i] && plan.phases[i] == Phase::Once) {
            constants.load(graph, plan, NodeId(i as u32));
        }
        for (kept, place) in constants.kept.iter_mut().zip(&plan.places) {
            if !matches!(place, Place::Kept(_)) {
                *kept = None;
            }
        }
        // What was packed or converted to be used once need not be kept.
        constants.packed = Mutex::default();
        for kept in constants.kept.iter_mut().flatten() {
            if let Kept::Converted(_, values) = kept {
                *values = OnceLock::new();
            }
        }
        Ok(constants)
    }

    /// A value, by node.
    pub fn kept(&self, node: usize) -> &[T] {
        self.kept[node].as_ref().map_or(&[], Kept::elements)
    }

    /// A value packed in the way that `key` describes; `pack` runs if that was not asked for before.
    pub fn packed(&self, node: usize, key: &[usize], pack: impl FnOnce(&[T]) -> Packed<T>) -> Arc<Packed<T>> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        let once = || match &self.kept[node] {
            Some(kept) => kept.once(pack),
            None => pack(&[]),
        };
        let make = || match self.tensors.get(&node) {
            // The leading number keeps what is packed of the two orders apart.
            Some((tensor, channels)) => form(tensor, [&[channels.unwrap_or(0)], key].concat(), once),
            None => Arc::new(once()),
        };
        Arc::clone(packed.entry((node, key.to_vec())).or_insert_with(make))
    }

    fn load(&mut self, graph: &Graph, plan: &Plan, root: NodeId) {
        if self.kept[root.index()].is_none() {
            self.kept[root.index()] = match &graph.node(root).op {
                Op::Constant(tensor) => {
                    let channels = plan.channels[root.index()];
                    self.tensors.insert(root.index(), (Arc::clone(tensor), channels));
                    Some(Kept::constant(Constant { tensor: Arc::clone(tensor), item: graph.node(root).item_len(), channels }))
                }
                Op::Count(axis) => Some(Kept::Own(vec![T::from_f64(graph.axis_size(*axis, 0) as f64)])),
                _ => None,
            };
        }
    }
}
