//! Pointwise chains: whole expressions of scalar functions, evaluated block by block without writing what lies between.

use super::nest::Nest;
use super::{Kernel, Layout, Scratch, copy, lanes};
use crate::execute::Real;
use crate::execute::plan::{Group, Operand, Plan};
use crate::ops::{Binary, Unary};
use crate::{Error, Graph, Op, Result};

/// Elements evaluated at a time: a handful of such blocks fits into the nearest cache.
const BLOCK: usize = 512;

/// Where an instruction finds an argument.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// An operand of the group.
    Operand(usize),
    /// A block of scratch memory.
    Register(usize),
}

#[derive(Debug)]
enum Function {
    Unary(Unary, [Source; 1]),
    Binary(Binary, [Source; 2]),
    Select([Source; 3]),
}

/// One scalar function; the last of a chain writes to the result, others to a register.
#[derive(Debug)]
struct Instruction {
    function: Function,
    register: usize,
}

/// How a block of an operand is found.
#[derive(Debug)]
enum Load<T> {
    /// In place: the operand has the layout of the result.
    Direct,
    /// Copied together, since it lacks rows that the result has, or lies in another order.
    Broadcast { gather: Gather, register: usize },
    /// One number for all elements.
    Uniform { value: T, register: usize },
}

#[derive(Debug)]
struct Chain<T> {
    loads: Vec<Load<T>>,
    instructions: Vec<Instruction>,
    registers: usize,
}

/// Compiles a group of pointwise nodes of one layout.
pub fn kernel<T: Real>(graph: &Graph, plan: &Plan, group: &Group, samples: usize) -> Result<Box<dyn Kernel<T>>> {
    let out = Layout::planned(graph, plan, group.result(), samples);
    let mut registers = 0;
    let mut fresh = || {
        registers += 1;
        registers - 1
    };
    let mut loads = vec![];
    for operand in &group.operands {
        loads.push(match operand {
            Operand::Uniform(value) => Load::Uniform { value: T::from_f64(*value), register: fresh() },
            Operand::Value(id) => {
                let layout = Layout::planned(graph, plan, *id, samples);
                let Some(item) = Layout::item_loops([&out, &layout]) else {
                    return Err(Error::Graph { what: "a pointwise chain whose operands lie in orders without common loops".into() });
                };
                let rows = Layout::row_loops(&out.rows, [&layout]);
                let nest = Nest::new(rows.into_iter().chain(item.into_iter().map(|(size, [_, step])| (size, [step]))));
                if nest.loops().len() <= 1 && (nest.inner().1 == [1] || nest.len() <= 1) {
                    Load::Direct
                } else {
                    Load::Broadcast { gather: Gather::new(nest, 0), register: fresh() }
                }
            }
            Operand::Expanded { map, source } => {
                let layout = Layout::planned(graph, plan, *source, samples);
                let loops = match &graph.node(*map).op {
                    Op::Map(map) => {
                        copy::check_sources(map, layout.item_len())?;
                        copy::repeated(map, &out)
                    }
                    _ => None,
                };
                let Some((start, item)) = loops else {
                    return Err(Error::Graph { what: "a pointwise chain that repeats what is no strided map".into() });
                };
                let rows = Layout::row_loops(&out.rows, [&layout]);
                Load::Broadcast { gather: Gather::new(Nest::new(rows.into_iter().chain(item)), start), register: fresh() }
            }
        });
    }

    let source_of_load = |i: usize| match &loads[i] {
        Load::Direct => Source::Operand(i),
        Load::Broadcast { register, .. } | Load::Uniform { register, .. } => Source::Register(*register),
    };
    let last_use = |step: usize| group.steps.iter().rposition(|s| s.arguments.contains(&crate::execute::plan::Argument::Step(step)));
    let (mut free, mut held): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
    let mut instructions: Vec<Instruction> = vec![];
    for (at, step) in group.steps.iter().enumerate() {
        let argument = |i: usize| match step.arguments.get(i) {
            Some(crate::execute::plan::Argument::Operand(o)) => Ok(source_of_load(*o)),
            Some(crate::execute::plan::Argument::Step(s)) => Ok(Source::Register(held[*s])),
            None => Err(Error::Graph { what: format!("a pointwise node lacks operand {i}") }),
        };
        let function = match &graph.node(step.node).op {
            Op::Unary(f) => Function::Unary(*f, [argument(0)?]),
            Op::Binary(f) => Function::Binary(*f, [argument(0)?, argument(1)?]),
            Op::Select => Function::Select([argument(0)?, argument(1)?, argument(2)?]),
            other => return Err(Error::Graph { what: format!("{other:?} in a pointwise chain") }),
        };
        let register = free.pop().unwrap_or_else(&mut fresh);
        held.push(register);
        // A register is free again once its last reader has run (the reader's own result lies elsewhere).
        free.extend((0..at).filter(|&s| last_use(s) == Some(at)).map(|s| held[s]));
        instructions.push(Instruction { function, register });
    }
    Ok(Box::new(Chain { loads, instructions, registers }))
}

impl<T: Real> Kernel<T> for Chain<T> {
    fn run(&self, operands: &[&[T]], out: &mut [T], scratch: &mut Scratch<T>) {
        let mut registers: Vec<Vec<T>> = (0..self.registers).map(|_| scratch.borrow(BLOCK)).collect();
        let mut values = operands.iter();
        // Uniform operands are no values of the graph, so they take no place among the operands.
        let operands: Vec<&[T]> = self
            .loads
            .iter()
            .map(|load| match load {
                Load::Uniform { value, register } => {
                    registers[*register][..BLOCK.min(out.len())].fill(*value);
                    &[]
                }
                _ => values.next().copied().unwrap_or_default(),
            })
            .collect();
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let (start, len) = (block * BLOCK, out.len());
            for (load, operand) in self.loads.iter().zip(&operands) {
                if let Load::Broadcast { gather, register } = load {
                    gather.run(operand, start, &mut registers[*register][..len]);
                }
            }
            let (last, others) = self.instructions.split_last().unwrap_or_else(|| unreachable!("a chain has an instruction"));
            for instruction in others {
                let mut result = std::mem::take(&mut registers[instruction.register]);
                instruction.run(&operands, &registers, start, &mut result[..len]);
                registers[instruction.register] = result;
            }
            last.run(&operands, &registers, start, out);
        }
        for register in registers {
            scratch.give_back(register);
        }
    }
}

impl Instruction {
    fn run<T: Real>(&self, operands: &[&[T]], registers: &[Vec<T>], start: usize, out: &mut [T]) {
        let len = out.len();
        let find = |source: Source| match source {
            Source::Operand(i) => &operands[i][start..start + len],
            Source::Register(r) => &registers[r][..len],
        };
        match self.function {
            Function::Unary(f, [x]) => lanes::unary(f, find(x), out),
            Function::Binary(f, [a, b]) => lanes::binary(f, find(a), find(b), out),
            Function::Select([a, b, mask]) => lanes::select(find(a), find(b), find(mask), out),
        }
    }
}

/// How an operand that lies otherwise than the result is copied together.
#[derive(Debug)]
struct Gather {
    nest: Nest<1>,
    /// Where the operand's first element lies.
    start: usize,
    /// So many elements come again and again, until so many are made.
    period: Option<(usize, usize)>,
}

impl Gather {
    fn new(nest: Nest<1>, start: usize) -> Self {
        let mut period = None;
        for (i, &(size, [step])) in nest.loops().iter().enumerate() {
            let inner: usize = nest.loops()[i + 1..].iter().map(|l| l.0).product();
            if step == 0 && (2..BLOCK).contains(&inner) {
                period = period.or(Some((inner, size * inner)));
            }
        }
        Self { nest, start, period }
    }

    /// Elements `start..` of the array that the nest describes, in row-major order.
    fn run<T: Real>(&self, x: &[T], start: usize, out: &mut [T]) {
        let (inner, [step]) = self.nest.inner();
        let outer = &self.nest.loops()[..self.nest.loops().len().saturating_sub(1)];
        // The innermost of the outer loops is counted on; the others are found by division when it ends.
        let (size, pace) = outer.last().map_or((1, 0), |&(size, [pace])| (size, pace));
        let (mut at, end) = (start, start + out.len());
        while at < end {
            let mut until = end;
            if let Some((period, all)) = self.period {
                let (filled, phase) = (at - start, at % all);
                if filled >= period && phase >= period {
                    // What was just made comes again.
                    let len = period.min(all - phase).min(end - at);
                    out.copy_within(filled - period..filled - period + len, filled);
                    at += len;
                    continue;
                }
                until = end.min(if phase < period { at + period - phase } else { start + period });
            }
            let (run, mut first) = (at / inner, at % inner);
            let (mut base, mut rest) = (self.start, run / size);
            for &(size, [pace]) in outer.iter().rev().skip(1) {
                base += rest % size * pace as usize;
                rest /= size;
            }
            for i in run % size..size {
                let len = (inner - first).min(until - at);
                let part = &mut out[at - start..at - start + len];
                let from = base + i * pace as usize + first * step as usize;
                match step {
                    0 => part.fill(x[from]),
                    1 => part.copy_from_slice(&x[from..from + len]),
                    _ => part.iter_mut().zip(x[from..].iter().step_by(step as usize)).for_each(|(y, x)| *y = *x),
                }
                (first, at) = (0, at + len);
                if at == until {
                    break;
                }
            }
        }
    }
}
