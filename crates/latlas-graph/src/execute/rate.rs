//! How fast a machine is, as a plan's expected time needs it.

use std::time::Instant;

use super::{Options, Program, Real};
use crate::ops::{Contraction, Unary};
use crate::{Builder, NodeId, Port, Result, Rows, Tensor};

/// Rates of one thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Floating point operations of a large matrix product.
    pub flops_per_second: f64,
    /// Bytes read and written by a pass over values that stay in a near cache.
    pub bytes_per_second: f64,
}

/// Runs of which the fastest counts.
const RUNS: usize = 5;

impl Rate {
    /// A round figure for a current core with wide vectors, in single precision; the same everywhere.
    pub const STATED: Self = Self { flops_per_second: 100e9, bytes_per_second: 100e9 };

    /// This machine's, by running a matrix product and a pass over a tile in the executor; takes a few milliseconds.
    ///
    /// # Errors
    /// Those of [`Program::run`].
    pub fn measure<T: Real>() -> Result<Self> {
        let (rows, width) = (1024, 256);
        let product = timed::<T>(rows, width, |b, x| {
            let weight = b.constant(Tensor::new([width, width], (0..width * width).map(|i| (i % 7) as f64 - 3.0).collect::<Vec<_>>()));
            b.contract(x, weight, Contraction { a: vec![0], b: vec![0, 1], out: vec![1], sum_rows: Rows::NONE })
        })?;
        let pass = timed::<T>(64, 1024, |b, x| b.unary(Unary::Neg, x))?;
        Ok(Self {
            flops_per_second: 2.0 * (rows * width * width) as f64 / product,
            bytes_per_second: (2 * 64 * 1024 * size_of::<T>()) as f64 / pass,
        })
    }
}

/// Seconds of the fastest run of a step on `n` samples of `width` elements, on one thread.
fn timed<T: Real>(n: usize, width: usize, step: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Result<f64> {
    let mut b = Builder::new();
    let x = b.input("x", Rows::SAMPLE, &[width], &[width]);
    let node = step(&mut b, x);
    let graph = b.finish(vec![Port { name: "y".into(), node, shape: vec![width], default: None }]);
    // One tile, so that one thread runs it.
    let program = Program::<T>::compile(&graph, &Options { tile: Some(n), ..Options::default() })?;
    let input = vec![T::ONE; n * width];
    let mut outputs = vec![];
    let mut fastest = f64::INFINITY;
    for _ in 0..=RUNS {
        let start = Instant::now();
        program.run(n, &[&input], &mut outputs)?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok(fastest.max(1e-9))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_rate_is_one_that_a_machine_can_have() {
        let rate = Rate::measure::<f32>().unwrap();
        assert!((1e7..1e13).contains(&rate.flops_per_second), "{rate:?}");
        assert!((1e7..1e13).contains(&rate.bytes_per_second), "{rate:?}");
    }
}
