//! Our side of `cargo dev bench jacobian`: commands on standard input, one line of answer each.
//!
//!     about                           what runs here: words
//!     peak DTYPE                      floating point operations a second of all threads at once
//!     prepare KEY CASE VARIANT DTYPE  compiles it and calls it twice; the seconds of all that, and of the second call
//!     time KEY SECONDS                calls it for so long, once at least; the seconds of each call
//!     save KEY FILE                   all Jacobians [n, d, D] of a call, one after the other, as raw f64
//!     drop KEY
//!
//! The first argument is the folder of the cases, the second the number of threads. Variants are `jacobian`, and for one
//! direction or cotangent `forward`, `jvp`, `vjp` and `taylor`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use latlas_graph::execute::{Options, Program, Real, multiply_add_peak};
use latlas_graph::onnx::{LoadOptions, load};
use latlas_graph::transform::taylor;
use latlas_graph::{Builder, Graph, Port, Rows};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Something that can be called again and again.
trait Prepared {
    /// Runs it; what it gives stays in memory that the next call uses again.
    fn call(&mut self) -> Outcome<()>;
    /// The outputs from the first derivative on, as bytes of `f64`.
    fn derivatives(&self) -> Vec<u8>;
}

/// A compiled graph with its inputs and the memory of its outputs.
struct Ready<T> {
    program: Program<T>,
    n: usize,
    inputs: Vec<Vec<T>>,
    outputs: Vec<Vec<T>>,
}

impl<T: Real> Prepared for Ready<T> {
    fn call(&mut self) -> Outcome<()> {
        let inputs: Vec<&[T]> = self.inputs.iter().map(Vec::as_slice).collect();
        Ok(self.program.run(self.n, &inputs, &mut self.outputs)?)
    }

    fn derivatives(&self) -> Vec<u8> {
        let derivatives = &self.outputs[self.outputs.len() / 2..];
        derivatives.iter().flatten().flat_map(|x| x.to_f64().to_le_bytes()).collect()
    }
}

/// f, f' and f'' along one direction, the same for all samples.
fn taylor_graph(graph: &Graph) -> Outcome<Graph> {
    let mut b = Builder::from_graph(graph.clone());
    let (z, x) = (&graph.inputs[0], &graph.outputs[0]);
    let direction = b.input("direction", Rows::SAMPLE, &z.shape, &graph.node(z.node).shape);
    let coefficients = taylor(&mut b, z.node, direction, &[x.node])?;
    let mut outputs = vec![x.clone()];
    for (name, node) in [("first", coefficients[0].0), ("second", coefficients[0].1)] {
        // A second derivative may be zero: networks with ReLU.
        outputs.extend(node.map(|node| Port { name: name.into(), node, ..x.clone() }));
    }
    Ok(b.finish(outputs))
}

fn prepare<T: Real>(folder: &Path, variant: &str) -> Outcome<Box<dyn Prepared>> {
    let model = load(&folder.join("model.onnx"), &LoadOptions::default())?;
    let bytes = std::fs::read(folder.join("points.f64"))?;
    let points: Vec<T> = bytes.as_chunks().0.iter().map(|&x| T::from_f64(f64::from_le_bytes(x))).collect();
    let all: Vec<usize> = (0..model.outputs.len()).collect();
    let graph = match variant {
        "forward" => model.clone(),
        "jacobian" => model.jacobian(0, &all)?,
        "jvp" => model.jvp_graph(0, &[0], 1)?,
        "vjp" => model.vjp_graph(0, 0, 1)?,
        "taylor" => taylor_graph(&model)?,
        _ => return Err(format!("no such variant: {variant}").into()),
    };
    let n = points.len() / model.node(model.inputs[0].node).item_len();
    let mut inputs = vec![points];
    for port in &graph.inputs[1..] {
        let len = n * graph.node(port.node).item_len();
        inputs.push((0..len).map(|i| T::from_f64((i as f64 * 0.7).sin())).collect());
    }
    let program = Program::compile(&graph, &Options::default())?;
    Ok(Box::new(Ready { program, n, inputs, outputs: vec![] }))
}

/// The seconds of calls that together take as long as `budget`, or of one call that takes longer.
fn timed(ready: &mut dyn Prepared, budget: Duration) -> Outcome<Vec<f64>> {
    let (start, mut taken) = (Instant::now(), vec![]);
    while taken.is_empty() || (start.elapsed() < budget && taken.len() < 1000) {
        let call = Instant::now();
        ready.call()?;
        taken.push(call.elapsed().as_secs_f64());
    }
    Ok(taken)
}

struct Worker {
    folder: PathBuf,
    ready: BTreeMap<String, Box<dyn Prepared>>,
}

impl Worker {
    fn get(&mut self, key: &str) -> Outcome<&mut Box<dyn Prepared>> {
        self.ready.get_mut(key).ok_or_else(|| format!("nothing was prepared as {key}").into())
    }

    fn answer(&mut self, line: &str) -> Outcome<String> {
        Ok(match *line.split_whitespace().collect::<Vec<_>>() {
            ["about"] => format!("Latlas {}", env!("CARGO_PKG_VERSION")),
            ["peak", dtype] => {
                let peak = if dtype == "f32" { multiply_add_peak::<f32> } else { multiply_add_peak::<f64> };
                // All at once: cores share their power and, on some machines, their units.
                let all = rayon::broadcast(|_| peak(10));
                format!("{:e}", all.iter().sum::<f64>())
            }
            ["prepare", key, case, variant, dtype] => {
                let start = Instant::now();
                let folder = self.folder.join(case);
                let mut ready = if dtype == "f32" { prepare::<f32>(&folder, variant)? } else { prepare::<f64>(&folder, variant)? };
                ready.call()?;
                let again = timed(&mut *ready, Duration::ZERO)?;
                self.ready.insert(key.into(), ready);
                format!("{:.3} {:.9}", start.elapsed().as_secs_f64(), again[0])
            }
            ["time", key, seconds] => {
                let budget = Duration::from_secs_f64(seconds.parse()?);
                let taken = timed(&mut **self.get(key)?, budget)?;
                taken.iter().map(|seconds| format!("{seconds:.9}")).collect::<Vec<_>>().join(" ")
            }
            ["save", key, file] => {
                std::fs::write(file, self.get(key)?.derivatives())?;
                String::new()
            }
            ["drop", key] => {
                self.ready.remove(key);
                String::new()
            }
            _ => return Err(format!("no such command: {line}").into()),
        })
    }
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    // `cargo bench` starts every bench target; without cases there is nothing to do.
    let (Some(folder), Some(threads)) = (arguments.next(), arguments.next()) else { return Ok(()) };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let mut worker = Worker { folder: folder.into(), ready: BTreeMap::new() };
    for line in std::io::stdin().lock().lines() {
        match worker.answer(&line?) {
            Ok(words) => println!("ok {words}"),
            Err(error) => println!("error {}", error.to_string().replace('\n', " ")),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
