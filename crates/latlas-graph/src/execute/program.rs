//! A compiled graph and its runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::constants::Constants;
use super::cost::{Cost, planned};
use super::isa::Isa;
use super::kernels::Layout;
use super::pieces;
use super::plan::{Phase, Place, Plan};
use super::tile::{Around, Memory, Step, Steps, Tile, Workspace, grown};
use super::tiles::{Tiles, Total};
use super::{Options, Real};
use crate::{Axis, Error, Graph, NodeId, Op, Result};

/// A graph compiled for a number type: run it as often as you like, from any thread.
pub struct Program<T> {
    graph: Graph,
    plan: Plan,
    tile: usize,
    ports: [Vec<Width>; 2],
    constants: Constants<T>,
    before: Vec<Step<T>>,
    after: Vec<Step<T>>,
    /// Steps for each tile size met so far: the full tile and what is left at the end.
    steps: Mutex<BTreeMap<usize, Arc<Steps<T>>>>,
    workspaces: Mutex<Vec<Workspace<T>>>,
    globals: Mutex<Vec<Vec<Vec<T>>>>,
}

/// How much of an input or output there is.
#[derive(Clone, Copy)]
struct Width {
    /// Elements for one sample.
    one: usize,
    /// Whether it varies over samples.
    varies: bool,
}

impl Width {
    fn of(graph: &Graph, node: NodeId) -> Self {
        let node = graph.node(node);
        Self { one: Layout::of(graph, node, 1).len(), varies: node.rows.contains(Axis::SAMPLE) }
    }

    /// Elements for n samples.
    fn elements<T>(self, n: usize) -> Result<usize> {
        let limit = isize::MAX as usize / size_of::<T>();
        let all = self.one.checked_mul(if self.varies { n } else { 1 });
        all.filter(|&len| len <= limit).ok_or_else(|| Error::Limit {
            what: format!("number of elements of a value for {n} samples"),
            got: all.map_or(u64::MAX, |all| all as u64),
            limit: limit as u64,
        })
    }
}

/// More tile sizes than this are not remembered at a time.
const REMEMBERED: usize = 128;

impl<T: Real> Program<T> {
    /// Plans a graph and computes what depends on constants only.
    ///
    /// Fails with [`Error::Graph`] where a value for each sample needs a finished sum over samples, or an index map or a
    /// convolution is inconsistent; with [`Error::Setting`] where `LATLAS_ISA` names no instruction set of this machine.
    pub fn compile(graph: &Graph, options: &Options) -> Result<Self> {
        Isa::pinned()?;
        let (plan, tile) = pieces::plan(graph, options, size_of::<T>())?;
        let constants = Constants::new(graph, &plan)?;
        let ports = [&graph.inputs, &graph.outputs].map(|ports| ports.iter().map(|p| Width::of(graph, p.node)).collect());
        let (before, after) =
            (Step::phase(graph, &plan, Phase::Before, 1, &constants)?, Step::phase(graph, &plan, Phase::After, 1, &constants)?);
        Ok(Self {
            graph: graph.clone(),
            plan,
            tile,
            ports,
            constants,
            before,
            after,
            steps: Mutex::default(),
            workspaces: Mutex::default(),
            globals: Mutex::default(),
        })
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Samples a tile.
    pub fn tile(&self) -> usize {
        self.tile
    }

    /// What a run costs.
    pub fn cost(&self) -> Cost {
        planned(&self.graph, &self.plan, size_of::<T>(), self.tile)
    }

    /// Runs the graph on `n` samples.
    ///
    /// `inputs` in the graph's order, each `[rows.., item..]` row-major; `outputs` likewise, resized where they do not fit
    /// (memory that fits is reused and not cleared). Tiles are spread over the current rayon pool. Fails with [`Error::Shape`]
    /// where an input has the wrong number of elements.
    pub fn run(&self, n: usize, inputs: &[&[T]], outputs: &mut Vec<Vec<T>>) -> Result<()> {
        self.check(n, inputs)?;
        outputs.resize_with(self.graph.outputs.len(), Vec::new);
        for (width, output) in self.ports[1].iter().zip(outputs.iter_mut()) {
            output.resize(width.elements::<T>(n)?, T::ZERO);
        }
        let mut globals = lock(&self.globals).pop().unwrap_or_default();
        globals.resize_with(self.plan.globals.len(), Vec::new);
        for (&id, buffer) in self.plan.globals.iter().zip(&mut globals) {
            if let Op::Count(_) = self.graph.node(id).op {
                grown(buffer, 1)[0] = T::from_f64(n as f64);
            }
        }
        self.run_globally(&self.before, inputs, &mut globals);
        self.run_tiles(n, inputs, outputs, &mut globals)?;
        self.run_globally(&self.after, inputs, &mut globals);
        let memory = Memory { around: Around { constants: &self.constants, inputs, globals: &globals }, slots: &[], outputs: &[] };
        for ((port, width), output) in self.graph.outputs.iter().zip(&self.ports[1]).zip(outputs.iter_mut()) {
            if !width.varies {
                output.copy_from_slice(memory.read(self.plan.place_of(port.node), 0, width.one));
            }
        }
        lock(&self.globals).push(globals);
        Ok(())
    }

    fn check(&self, n: usize, inputs: &[&[T]]) -> Result<()> {
        if inputs.len() != self.graph.inputs.len() {
            return Err(Error::Shape {
                what: "inputs of the graph".into(),
                expected: format!("{} arrays", self.graph.inputs.len()),
                got: format!("{}", inputs.len()),
            });
        }
        for ((port, width), input) in self.graph.inputs.iter().zip(&self.ports[0]).zip(inputs) {
            let expected = width.elements::<T>(n)?;
            if input.len() != expected {
                let node = self.graph.node(port.node);
                let rows = node.rows.iter().map(|a| format!("{} {} × ", self.graph.axis_size(a, n), self.graph.axes()[a.index()].name));
                return Err(Error::Shape {
                    what: format!("input {:?}", port.name),
                    expected: format!("{}{:?} = {expected} numbers", rows.collect::<String>(), port.shape),
                    got: format!("{} numbers", input.len()),
                });
            }
        }
        Ok(())
    }

    /// Steps whose values do not vary over samples.
    fn run_globally(&self, steps: &[Step<T>], inputs: &[&[T]], globals: &mut [Vec<T>]) {
        if steps.is_empty() {
            return;
        }
        let mut lease = Lease::new(&self.workspaces);
        for step in steps {
            let super::tile::Target::Global(target) = step.target else { continue };
            let mut out = std::mem::take(&mut globals[target]);
            let memory = Memory { around: Around { constants: &self.constants, inputs, globals }, slots: &[], outputs: &[] };
            step.run(&memory, 0, grown(&mut out, step.len), &mut lease.workspace.scratch);
            globals[target] = out;
        }
    }

    fn run_tiles(&self, n: usize, inputs: &[&[T]], outputs: &mut [Vec<T>], globals: &mut [Vec<T>]) -> Result<()> {
        let sums = self.plan.sums.len();
        let mut totals: Vec<Total<T>> = (0..sums).map(|_| Total::default()).collect();
        let full = self.tile.min(n);
        let (steps, last_steps) = (self.steps_for(full)?, self.steps_for(n % self.tile)?);
        let run = |tile: &mut Tile<'_, T>, workspace: &mut Workspace<T>, parts: &mut [Vec<T>]| {
            let steps = if tile.count == full { &steps } else { &last_steps };
            self.run_tile(tile, steps, inputs, globals, workspace, parts);
        };
        let mut tiles = Tiles { outputs: self.sample_parts(outputs), next: 0, n, tile: self.tile };
        let threads = if n > self.tile { rayon::current_num_threads() } else { 1 };
        if threads == 1 {
            let mut lease = Lease::new(&self.workspaces);
            let mut parts: Vec<Vec<T>> = vec![vec![]; sums];
            for mut tile in tiles {
                run(&mut tile, &mut lease.workspace, &mut parts);
                totals.iter_mut().zip(&mut parts).for_each(|(total, part)| total.add(part));
            }
        } else {
            // Parts of sums are held until they can be added in order, so only some tiles run at a time.
            let wave = if sums == 0 { usize::MAX } else { 8 * threads };
            loop {
                let mut now: Vec<Tile<'_, T>> = tiles.by_ref().take(wave).collect();
                if now.is_empty() {
                    break;
                }
                let parts = now.par_iter_mut().map_init(
                    || Lease::new(&self.workspaces),
                    |lease, tile| {
                        let mut parts: Vec<Vec<T>> = vec![vec![]; sums];
                        run(tile, &mut lease.workspace, &mut parts);
                        parts
                    },
                );
                for mut parts in parts.collect::<Vec<_>>() {
                    totals.iter_mut().zip(&mut parts).for_each(|(total, part)| total.add(part));
                }
            }
        }
        for (&id, total) in self.plan.sums.iter().zip(totals) {
            if let Place::Global(i) = self.plan.places[id.index()] {
                total.finish(grown(&mut globals[i], Layout::of(&self.graph, self.graph.node(id), 1).len()));
            }
        }
        Ok(())
    }

    fn run_tile<'a>(
        &self,
        tile: &mut Tile<'_, T>,
        steps: &Steps<T>,
        inputs: &[&'a [T]],
        globals: &[Vec<T>],
        workspace: &mut Workspace<T>,
        parts: &mut [Vec<T>],
    ) {
        let cut = |(width, input): (&Width, &&'a [T])| {
            if width.varies { &input[tile.first * width.one..(tile.first + tile.count) * width.one] } else { *input }
        };
        let inputs: Vec<&[T]> = self.ports[0].iter().zip(inputs).map(cut).collect();
        let around = Around { constants: &self.constants, inputs: &inputs, globals };
        workspace.run(steps, self.plan.slots.len(), around, &mut tile.outputs, parts);
        // Outputs that are inputs, or views of other outputs, are copied.
        for (i, port) in self.graph.outputs.iter().enumerate() {
            let place = self.plan.place_of(port.node);
            if self.ports[1][i].varies && place != Place::Output(i) {
                let out = std::mem::take(&mut tile.outputs[i]);
                out.copy_from_slice(workspace.memory(around, &tile.outputs).read(place, 0, out.len()));
                tile.outputs[i] = out;
            }
        }
    }

    /// The steps for tiles of this many samples.
    fn steps_for(&self, samples: usize) -> Result<Arc<Steps<T>>> {
        if samples == 0 {
            return Ok(Arc::default());
        }
        let mut known = lock(&self.steps);
        if let Some(steps) = known.get(&samples) {
            return Ok(steps.clone());
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let steps = Arc::new(Steps::new(&self.graph, &self.plan, samples, &self.constants)?);
        known.insert(samples, steps.clone());
        Ok(steps)
    }

    /// Each output that varies over samples, with its elements a sample.
    fn sample_parts<'a>(&self, outputs: &'a mut [Vec<T>]) -> Vec<(&'a mut [T], usize)> {
        let cut = |(width, output): (&Width, &'a mut Vec<T>)| if width.varies { (&mut output[..], width.one) } else { (&mut [][..], 0) };
        self.ports[1].iter().zip(outputs).map(cut).collect()
    }
}

/// A workspace that goes back to its pool.
struct Lease<'a, T: Real> {
    workspace: Workspace<T>,
    pool: &'a Mutex<Vec<Workspace<T>>>,
}

impl<'a, T: Real> Lease<'a, T> {
    fn new(pool: &'a Mutex<Vec<Workspace<T>>>) -> Self {
        Self { workspace: lock(pool).pop().unwrap_or_default(), pool }
    }
}

impl<T: Real> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        lock(self.pool).push(std::mem::take(&mut self.workspace));
    }
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    // What is inside stays whole even if a thread panicked: values are put in complete.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
