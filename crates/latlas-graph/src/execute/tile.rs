//! Steps and the memory they read and write.

use std::sync::Arc;

use super::Real;
use super::constants::Constants;
use super::kernels::{Kernel, Layout, Scratch, kernel};
use super::pieces::Pieces;
use super::plan::{Group, Operand, Phase, Place, Plan, sums_samples};
use crate::{Error, Graph, NodeId, Result};

/// Where a step writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A value kept by the program, by node.
    Kept(usize),
    /// A buffer of the whole run.
    Global(usize),
    /// A slot of the arena.
    Slot(usize),
    /// The tile's part of an output.
    Output(usize),
    /// The tile's part of a sum over samples.
    Part(usize),
}

/// A kernel with its places.
pub struct Step<T> {
    kernel: Box<dyn Kernel<T>>,
    operands: Vec<Read>,
    /// Where the result goes.
    pub target: Target,
    /// Elements of the result.
    pub len: usize,
    /// Elements of a row of the cut axis, if the target holds all rows of it.
    row: usize,
}

/// What a step reads.
struct Read {
    place: Place,
    len: usize,
    /// Elements of a row of the cut axis, if the place holds all rows of it.
    row: usize,
}

impl Read {
    /// For an operand that the kernel keeps in a form of its own.
    const NOTHING: Self = Self { place: Place::Nowhere, len: 0, row: 0 };
}

impl<T: Real> Step<T> {
    /// Compiles a group for a tile of this many samples.
    pub fn new(graph: &Graph, plan: &Plan, group: &Group, samples: usize, constants: &Constants<T>) -> Result<Self> {
        let layout = |id| Layout::of(graph, graph.node(id), samples);
        let result = group.result();
        let target = match plan.places[result.index()] {
            _ if sums_samples(graph.node(result)) => Target::Part(plan.sums.iter().position(|&s| s == result).unwrap_or(0)),
            Place::Global(i) => Target::Global(i),
            Place::Slot(i) => Target::Slot(i),
            Place::Output(i) => Target::Output(i),
            _ => Target::Kept(result.index()),
        };
        let kernel = kernel::<T>(graph, plan, group, samples, constants)?;
        // What lies in a slot was made by the same piece; anything else holds all rows, of which a piece takes its own.
        let row = |id: NodeId, place: Place| {
            let cut = plan.pieces.filter(|pieces| pieces.cut(graph, id) && !matches!(place, Place::Slot(_)));
            cut.map_or(0, |pieces| layout(id).len() / graph.axis_size(pieces.axis, samples).max(1))
        };
        let read = |(i, operand): (usize, &Operand)| {
            let (id, place) = plan.find(operand)?;
            Some(if kernel.reads(i) { Read { place, len: layout(id).len(), row: row(id, place) } } else { Read::NOTHING })
        };
        let operands = group.operands.iter().enumerate().filter_map(read).collect();
        Ok(Self { operands, kernel, target, len: layout(result).len(), row: row(result, plan.places[result.index()]) })
    }

    /// Compiles all groups of a phase.
    pub fn phase(graph: &Graph, plan: &Plan, phase: Phase, samples: usize, constants: &Constants<T>) -> Result<Vec<Self>> {
        plan.groups.iter().filter(|g| plan.phase_of(g) == phase).map(|g| Self::new(graph, plan, g, samples, constants)).collect()
    }

    /// Runs the kernel into `out`, for the rows of a cut axis from `start` on.
    pub fn run(&self, memory: &Memory<'_, T>, start: usize, out: &mut [T], scratch: &mut Scratch<T>) {
        // Operands are few; a list on the stack saves an allocation a step.
        let mut few: [&[T]; 8] = [&[]; 8];
        if self.operands.len() <= few.len() {
            for (slot, read) in few.iter_mut().zip(&self.operands) {
                *slot = memory.read(read.place, start * read.row, read.len);
            }
            self.kernel.run(&few[..self.operands.len()], out, scratch);
        } else {
            let all: Vec<&[T]> = self.operands.iter().map(|read| memory.read(read.place, start * read.row, read.len)).collect();
            self.kernel.run(&all, out, scratch);
        }
    }
}

/// The steps of a tile.
pub struct Steps<T> {
    /// Once for a tile.
    shared: Vec<Step<T>>,
    /// Then those of each piece of a cut axis, with its first row.
    pieces: Vec<(usize, Arc<Vec<Step<T>>>)>,
}

impl<T> Default for Steps<T> {
    fn default() -> Self {
        Self { shared: vec![], pieces: vec![] }
    }
}

impl<T: Real> Steps<T> {
    /// Compiles a tile of this many samples.
    pub fn new(graph: &Graph, plan: &Plan, samples: usize, constants: &Constants<T>) -> Result<Self> {
        let compile = |graph: &Graph, cut: bool| {
            let wanted = |group: &&Group| plan.phase_of(group) == Phase::Tile && plan.is_cut(graph, group.result()) == cut;
            plan.groups.iter().filter(wanted).map(|group| Step::new(graph, plan, group, samples, constants)).collect::<Result<Vec<_>>>()
        };
        let mut steps = Self { shared: compile(graph, false)?, pieces: vec![] };
        let Some(Pieces { axis, rows }) = plan.pieces else { return Ok(steps) };
        let of_rows = |rows: usize| {
            let mut piece = graph.clone();
            piece.axes[axis.index()].size = Some(rows);
            Ok::<_, Error>(Arc::new(compile(&piece, true)?))
        };
        let (size, full) = (graph.axis_size(axis, samples), of_rows(rows)?);
        steps.pieces = (0..size / rows).map(|i| (i * rows, Arc::clone(&full))).collect();
        if !size.is_multiple_of(rows) {
            steps.pieces.push((size / rows * rows, of_rows(size % rows)?));
        }
        Ok(steps)
    }
}

/// What all steps of a tile may read and none writes.
#[derive(Clone, Copy)]
pub struct Around<'a, T> {
    /// What the program keeps.
    pub constants: &'a Constants<T>,
    /// The inputs; those that vary over samples cut to the tile.
    pub inputs: &'a [&'a [T]],
    /// Buffers of the whole run.
    pub globals: &'a [Vec<T>],
}

/// All that a step may read.
pub struct Memory<'a, T> {
    /// What no step of the tile writes.
    pub around: Around<'a, T>,
    /// The tile's arena.
    pub slots: &'a [Vec<T>],
    /// The tile's parts of the outputs.
    pub outputs: &'a [&'a mut [T]],
}

impl<T: Real> Memory<'_, T> {
    /// `len` elements at a place from `start` on.
    pub fn read(&self, place: Place, start: usize, len: usize) -> &[T] {
        let all: &[T] = match place {
            Place::Nowhere => &[],
            Place::Input(i) => self.around.inputs[i],
            Place::Kept(i) => self.around.constants.kept(i),
            Place::Global(i) => &self.around.globals[i],
            Place::Slot(i) => &self.slots[i],
            Place::Output(i) => &*self.outputs[i],
        };
        &all[start..start + len]
    }
}

/// A thread's memory: the arena of its tile and the buffers of its kernels.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    slots: Vec<Vec<T>>,
    /// Buffers of kernels.
    pub scratch: Scratch<T>,
}

/// What one tile works on.
pub struct Tile<'a, T> {
    /// Its first sample.
    pub first: usize,
    /// Its number of samples.
    pub count: usize,
    /// Its part of each output.
    pub outputs: Vec<&'a mut [T]>,
}

impl<T: Real> Workspace<T> {
    /// Runs the steps of a tile in `slots` slots; `parts` receives its parts of the sums over samples.
    pub fn run(&mut self, steps: &Steps<T>, slots: usize, around: Around<'_, T>, outputs: &mut [&mut [T]], parts: &mut [Vec<T>]) {
        self.slots.resize_with(slots.max(self.slots.len()), Vec::new);
        self.run_from(0, &steps.shared, around, outputs, parts);
        for (start, steps) in &steps.pieces {
            self.run_from(*start, steps, around, outputs, parts);
        }
    }

    fn run_from(&mut self, start: usize, steps: &[Step<T>], around: Around<'_, T>, outputs: &mut [&mut [T]], parts: &mut [Vec<T>]) {
        for step in steps {
            // What is written is taken out, so that all the rest can be read.
            let (mut buffer, mut output): (Vec<T>, &mut [T]) = (vec![], &mut []);
            let out: &mut [T] = match step.target {
                Target::Output(i) => {
                    output = std::mem::take(&mut outputs[i]);
                    &mut output[start * step.row..][..step.len]
                }
                Target::Part(i) => {
                    buffer = std::mem::take(&mut parts[i]);
                    grown(&mut buffer, step.len)
                }
                Target::Slot(i) => {
                    buffer = std::mem::take(&mut self.slots[i]);
                    grown(&mut buffer, step.len)
                }
                Target::Kept(_) | Target::Global(_) => &mut [],
            };
            step.run(&Memory { around, slots: &self.slots, outputs }, start, out, &mut self.scratch);
            match step.target {
                Target::Output(i) => outputs[i] = output,
                Target::Part(i) => parts[i] = buffer,
                Target::Slot(i) => self.slots[i] = buffer,
                Target::Kept(_) | Target::Global(_) => {}
            }
        }
    }

    /// What a tile's steps left behind.
    pub fn memory<'a>(&'a self, around: Around<'a, T>, outputs: &'a [&'a mut [T]]) -> Memory<'a, T> {
        Memory { around, slots: &self.slots, outputs }
    }
}

/// The first `len` elements of a buffer that is made longer if it must be.
pub fn grown<T: Real>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::ZERO);
    }
    &mut buffer[..len]
}
