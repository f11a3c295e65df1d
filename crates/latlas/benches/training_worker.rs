//! Our side of `cargo dev bench training`: commands on standard input, one line of answer each.
//!
//!     about                    what runs here: words
//!     data CASE FILE           writes the rows of a case as raw f32, from the file of MNIST where they are those; their number
//!     train CASE SEED EPOCHS   seconds of all steps, steps, the mean loss of the last epoch
//!
//! The arguments are the number of threads and the file of MNIST.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use latlas::data::{self, sprites, two_moons};
use latlas::models::zoo::flow::{Coupling, Flow};
use latlas::models::zoo::{Activation, Likelihood, Networks, Spec, Vae};
use latlas::training::{Data, Settings, Trainer};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The rows of a case.
fn rows(case: &str, mnist: &Path) -> Outcome<Data> {
    let (values, shape): (Vec<f32>, Vec<usize>) = match case {
        "mlp" => {
            let table = data::read(&mnist.to_string_lossy())?;
            (table.values.iter().map(|x| (x / 255.0) as f32).collect(), vec![784])
        }
        "conv" => {
            let mut picture = vec![0.0; sprites::SIDE * sprites::SIDE];
            let mut values = Vec::new();
            for k in 0..512 {
                sprites::Style::Plain.render(0, k * (sprites::COUNT / 512), &mut picture);
                values.extend(picture.iter().map(|x| *x as f32));
            }
            (values, vec![1, sprites::SIDE, sprites::SIDE])
        }
        "flow" | "flow-tc" => (two_moons(8192, 0).into_iter().flatten().map(|x| x as f32).collect(), vec![2]),
        _ => return Err(format!("no such case: {case}").into()),
    };
    Ok(Data { values, shape, labels: None })
}

/// The model of a case and its batch; `peers/bench/training.py` has the same.
fn settings(case: &str, seed: u64, epochs: u64) -> Settings {
    let vae = |latent, networks| Spec::Vae(Vae { latent, networks, likelihood: Likelihood::Bernoulli, ..Vae::default() });
    let (model, batch) = match case {
        "mlp" => (vae(2, Networks { hidden: vec![256], ..Networks::default() }), 128),
        "conv" => (vae(10, Networks { hidden: vec![256], channels: vec![32, 32, 64, 64], ..Networks::default() }), 64),
        _ => {
            let total_correlation = if case == "flow-tc" { 0.1 } else { 0.0 };
            let flow = Flow { coupling: Coupling::Spline, activation: Activation::Silu, bins: 4, bound: 4.0, ..Flow::default() };
            (Spec::Flow(Flow { blocks: 8, hidden: vec![64, 64], total_correlation, ..flow }), 1024)
        }
    };
    // A flow's gradients are long at first, and those of its total correlation now and then.
    let clip = if case.starts_with("flow") { 1.0 } else { 0.0 };
    Settings { seed, epochs, batch, held_out: 0.0, clip, ..Settings::new(model) }
}

fn train(case: &str, seed: u64, epochs: u64, mnist: &Path) -> Outcome<String> {
    let data = rows(case, mnist)?;
    let settings = settings(case, seed, epochs);
    let mut trainer = Trainer::new(&settings, &data)?;
    let (steps, per_epoch) = (trainer.steps(), trainer.steps_per_epoch());
    let mut last = 0.0;
    let start = Instant::now();
    for done in 0..steps {
        let loss = trainer.step()?.training.loss;
        if done >= steps - per_epoch {
            last += loss / per_epoch as f64;
        }
    }
    Ok(format!("{:.6} {steps} {last:.9}", start.elapsed().as_secs_f64()))
}

fn answer(words: &[&str], mnist: &Path) -> Outcome<String> {
    Ok(match *words {
        ["about"] => format!("Latlas {}", env!("CARGO_PKG_VERSION")),
        ["data", case, file] => {
            let data = rows(case, mnist)?;
            std::fs::write(file, data.values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
            data.rows().to_string()
        }
        ["train", case, seed, epochs] => train(case, seed.parse()?, epochs.parse()?, mnist)?,
        _ => return Err(format!("no such command: {}", words.join(" ")).into()),
    })
}

fn main() -> Outcome<()> {
    // `cargo bench` starts every bench target; without a number of threads there is nothing to do.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [threads, mnist] = &arguments[..] else { return Ok(()) };
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build_global()?;
    for line in std::io::stdin().lock().lines() {
        match answer(&line?.split_whitespace().collect::<Vec<_>>(), Path::new(mnist)) {
            Ok(words) => println!("ok {words}"),
            Err(error) => println!("error {}", error.to_string().replace('\n', " ")),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
