//! Our side of `cargo dev bench geometry`: commands on standard input, one line of answer each.
//!
//!     about                            what runs here: words
//!     model DECODER FILE               the decoder that commands run on, or builtin:NAME; the seconds that opening took
//!     points NAME COUNT FILE           COUNT latents in a file of raw f64
//!     geodesics FROM TO                seconds, a length for each pair, the largest relative error that is told of one, statuses
//!     exp FROM VECTORS                 seconds, the end points, the largest error that is told of one, statuses
//!     distances POINTS                 seconds, the mean of upper − lower bound over the upper, the links between components
//!     metrics POINTS                   seconds, the mean trace of M
//!     times TIMES COMMAND …            one of these so many times: the median of its seconds
//!
//! The arguments are the number of threads. All runs in double precision with the default options, lengths to
//! a millionth as the command has them.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use latlas::geometry::{Confirmation, Embedding, ExpOptions, GeodesicOptions, LatentGraph, Manifold, Status, Weights, exp, geodesics};
use latlas::models::OnnxDecoder;
use latlas::models::onnx::Options;
use latlas::settings::Dtype;
use ndarray::Array2;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Default)]
struct Worker {
    manifold: Option<Arc<dyn Manifold>>,
    points: BTreeMap<String, Array2<f64>>,
}

/// How many there are of each.
fn counted(statuses: impl Iterator<Item = Status>) -> String {
    let mut counts = BTreeMap::new();
    for status in statuses {
        let reason = status.reason().map_or("", |reason| reason.name());
        *counts.entry(format!("{}/{reason}", status.name())).or_insert(0) += 1;
    }
    counts.into_iter().map(|(name, n)| format!("{name}:{n}")).collect::<Vec<_>>().join(" ")
}

fn numbers(values: impl Iterator<Item = f64>) -> String {
    values.map(|x| format!("{x:e}")).collect::<Vec<_>>().join(" ")
}

impl Worker {
    fn manifold(&self) -> Outcome<&dyn Manifold> {
        Ok(&**self.manifold.as_ref().ok_or("no model")?)
    }

    fn points(&self, name: &str) -> Outcome<&Array2<f64>> {
        self.points.get(name).ok_or_else(|| format!("no points {name}").into())
    }

    fn answer(&mut self, words: &[&str]) -> Outcome<String> {
        let start = Instant::now();
        Ok(match *words {
            ["about"] => format!("Latlas {}", env!("CARGO_PKG_VERSION")),
            ["model", spec] => {
                let options = Options::with_dtype(Dtype::F64);
                let decoder = match spec.strip_prefix("builtin:") {
                    Some(name) => OnnxDecoder::from_bytes(name, latlas::data::builtin_model(name).ok_or("no such model")?, &options)?,
                    None => OnnxDecoder::load(Path::new(spec), &options)?,
                };
                self.manifold = Some(Embedding::Auto.manifold(&decoder)?);
                format!("{:.6}", start.elapsed().as_secs_f64())
            }
            ["points", name, count, file] => {
                let bytes = std::fs::read(file)?;
                let values: Vec<f64> = bytes.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x)).collect();
                let count: usize = count.parse()?;
                self.points.insert(name.into(), Array2::from_shape_vec((count, values.len() / count), values)?);
                String::new()
            }
            ["geodesics", from, to] => {
                let options = GeodesicOptions { confirmation: Confirmation::Agreement(1e-6), ..GeodesicOptions::default() };
                let found = geodesics(self.manifold()?, self.points(from)?.view(), self.points(to)?.view(), &options)?;
                let seconds = start.elapsed().as_secs_f64();
                let error = found.iter().map(|g| g.length_error / g.length).fold(0.0, f64::max);
                format!("{seconds:.6} {} {error:e} {}", numbers(found.iter().map(|g| g.length)), counted(found.iter().map(|g| g.status)))
            }
            ["exp", from, vectors] => {
                let shots = exp(self.manifold()?, self.points(from)?.view(), self.points(vectors)?.view(), &ExpOptions::default())?;
                let seconds = start.elapsed().as_secs_f64();
                let ends = shots.iter().flat_map(|shot| shot.end.iter().copied());
                let error = shots.iter().map(|shot| shot.error).fold(0.0, f64::max);
                format!("{seconds:.6} {} {error:e} {}", numbers(ends), counted(shots.iter().map(|shot| shot.status)))
            }
            ["distances", points] => {
                let graph = LatentGraph::new(self.manifold()?, self.points(points)?.view(), 15, Weights::Lengths)?;
                let [lower, upper] = graph.bracket();
                let seconds = start.elapsed().as_secs_f64();
                let pairs = lower.iter().zip(&upper).filter(|(_, upper)| **upper > 0.0);
                let shares: Vec<f64> = pairs.map(|(lower, upper)| 1.0 - lower / upper).collect();
                format!("{seconds:.6} {:e} {}", shares.iter().sum::<f64>() / shares.len() as f64, graph.links())
            }
            ["metrics", points] => {
                let points = self.points(points)?;
                let metrics = self.manifold()?.metric_at(points.view())?;
                let seconds = start.elapsed().as_secs_f64();
                let trace = metrics.outer_iter().map(|m| m.diag().sum()).sum::<f64>();
                format!("{seconds:.6} {:e}", trace / points.nrows() as f64)
            }
            ["times", times, ref rest @ ..] => {
                let mut all = Vec::new();
                for _ in 0..times.parse::<usize>()? {
                    let answer = self.answer(rest)?;
                    all.push(answer.split(' ').next().unwrap_or_default().parse::<f64>()?);
                }
                all.sort_by(f64::total_cmp);
                format!("{:.6}", all[all.len() / 2])
            }
            _ => return Err(format!("no such command: {}", words.join(" ")).into()),
        })
    }
}

fn main() -> Outcome<()> {
    // `cargo bench` starts every bench target; without a number of threads there is nothing to do.
    let Some(threads) = std::env::args().skip(1).find(|argument| argument != "--bench") else { return Ok(()) };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    let mut worker = Worker::default();
    for line in std::io::stdin().lock().lines() {
        match worker.answer(&line?.split_whitespace().collect::<Vec<_>>()) {
            Ok(words) => println!("ok {words}"),
            Err(error) => println!("error {}", error.to_string().replace('\n', " ")),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
