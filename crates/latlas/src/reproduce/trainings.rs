//! All trainings of an experiment: as many at a time as there are threads, each on one thread.
//!
//! A training by itself leaves threads idle: its optimiser and its noise run on one, and its batches are small. Since the number of threads
//! changes no bit of a training, neither does the order in which they are done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::{Setup, Tell};
use crate::error::{Error, Result};
use crate::models::OnnxDecoder;
use crate::models::onnx::Options;
use crate::settings::Dtype;
use crate::training::{Data, Settings, file_graph, fit};

/// Parts of a training that are told of.
const PARTS: usize = 100;

/// What a worker tells.
enum News {
    /// Another part is done.
    Part,
    /// A training has ended: its place among all, and the quantities of its decoder.
    Measured(usize, Result<Vec<f64>>),
}

/// Trains every case for every seed and measures it: `[quantities][cases][seeds]`, and the settings of the first as TOML.
///
/// `case` gives the settings of a case and seed and its data, `measure` the quantities of the trained decoder.
///
/// # Errors
/// No seed, and those of the trainings and measurements; the first in order of cases and seeds.
pub fn train_all(
    setup: &Setup,
    cases: usize,
    quantities: usize,
    case: impl Fn(usize, u64) -> Result<(Settings, Data)> + Sync,
    measure: impl Fn(OnnxDecoder) -> Result<Vec<f64>> + Sync,
    tell: Tell<'_>,
) -> Result<(Vec<Vec<Vec<f64>>>, String)> {
    let seeds = setup.seeds;
    if seeds == 0 {
        return Err(Error::Input { what: "an experiment needs at least one seed".into(), hint: Some("give --seeds 5".into()) });
    }
    let all = cases * seeds;
    let train = |at: usize, news: &Sender<News>| -> Result<Vec<f64>> {
        let (settings, data) = case(at / seeds, (at % seeds) as u64)?;
        let mut parameters = fit(&settings, &data, &|step, steps| {
            let parts = |step: u64| step as usize * PARTS / steps.max(1) as usize;
            // Nobody listens once another training has failed.
            (parts(step - 1)..parts(step)).for_each(|_| _ = news.send(News::Part));
        })?;
        let graph = file_graph(settings.model.model(), "decoder", &mut parameters, &data.shape)?;
        measure(OnnxDecoder::from_graph("decoder", graph, &Options::with_dtype(Dtype::F32))?)
    };
    let (next, (sender, news)) = (AtomicUsize::new(0), channel());
    let mut found: Vec<Option<Result<Vec<f64>>>> = (0..all).map(|_| None).collect();
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..rayon::current_num_threads().min(all) {
            let (sender, next, train) = (sender.clone(), &next, &train);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|e| Error::State { what: format!("no thread for a training: {e}"), hint: None })?;
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= all {
                        break;
                    }
                    let measured = pool.install(|| train(at, &sender));
                    if measured.is_err() {
                        next.store(all, Ordering::Relaxed);
                    }
                    _ = sender.send(News::Measured(at, measured));
                }
            });
        }
        // The loop below ends when the last worker has dropped its own.
        drop(sender);
        let mut parts = 0;
        for news in news {
            match news {
                News::Part => {
                    parts += 1;
                    tell(parts, all * PARTS);
                }
                News::Measured(at, measured) => found[at] = Some(measured),
            }
        }
        Ok(())
    })?;
    let mut values = vec![vec![Vec::new(); cases]; quantities];
    for (at, measured) in found.into_iter().enumerate() {
        let Some(measured) = measured else { continue };
        for (quantity, value) in values.iter_mut().zip(measured?) {
            quantity[at / seeds].push(value);
        }
    }
    let written = toml::to_string(&case(0, 0)?.0);
    Ok((values, written.map_err(|e| Error::State { what: format!("settings cannot be written: {e}"), hint: None })?))
}
