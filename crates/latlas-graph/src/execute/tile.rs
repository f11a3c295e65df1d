//! Steps and the memory they read and write.

use super::Real;
use super::constants::Constants;
use super::kernels::{Kernel, Layout, Scratch, kernel};
use super::plan::{Group, Operand, Phase, Place, Plan, sums_samples};
use crate::{Graph, Result};

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
    operands: Vec<(Place, usize)>,
    /// Where the result goes.
    pub target: Target,
    /// Elements of the result.
    pub len: usize,
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
        let place = |(i, o): (usize, &Operand)| {
            let (id, place) = plan.find(o)?;
            Some(if kernel.reads(i) { (place, layout(id).len()) } else { (Place::Nowhere, 0) })
        };
        Ok(Self { operands: group.operands.iter().enumerate().filter_map(place).collect(), kernel, target, len: layout(result).len() })
    }

    /// Compiles all groups of a phase.
    pub fn phase(graph: &Graph, plan: &Plan, phase: Phase, samples: usize, constants: &Constants<T>) -> Result<Vec<Self>> {
        plan.groups.iter().filter(|g| plan.phase_of(g) == phase).map(|g| Self::new(graph, plan, g, samples, constants)).collect()
    }

    /// Runs the kernel into `out`.
    pub fn run(&self, memory: &Memory<'_, T>, out: &mut [T], scratch: &mut Scratch<T>) {
        // Operands are few; a list on the stack saves an allocation a step.
        let mut few: [&[T]; 8] = [&[]; 8];
        if self.operands.len() <= few.len() {
            for (slot, &(place, len)) in few.iter_mut().zip(&self.operands) {
                *slot = memory.read(place, len);
            }
            self.kernel.run(&few[..self.operands.len()], out, scratch);
        } else {
            let all: Vec<&[T]> = self.operands.iter().map(|&(place, len)| memory.read(place, len)).collect();
            self.kernel.run(&all, out, scratch);
        }
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
    /// The first `len` elements at a place.
    pub fn read(&self, place: Place, len: usize) -> &[T] {
        let all: &[T] = match place {
            Place::Nowhere => &[],
            Place::Input(i) => self.around.inputs[i],
            Place::Kept(i) => self.around.constants.kept(i),
            Place::Global(i) => &self.around.globals[i],
            Place::Slot(i) => &self.slots[i],
            Place::Output(i) => &*self.outputs[i],
        };
        &all[..len]
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
    pub fn run(&mut self, steps: &[Step<T>], slots: usize, around: Around<'_, T>, outputs: &mut [&mut [T]], parts: &mut [Vec<T>]) {
        self.slots.resize_with(slots.max(self.slots.len()), Vec::new);
        for step in steps {
            // What is written is taken out, so that all the rest can be read.
            let (mut buffer, mut output): (Vec<T>, &mut [T]) = (vec![], &mut []);
            let out: &mut [T] = match step.target {
                Target::Output(i) => {
                    output = std::mem::take(&mut outputs[i]);
                    &mut output[..]
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
            step.run(&Memory { around, slots: &self.slots, outputs }, out, &mut self.scratch);
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
