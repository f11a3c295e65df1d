//! The most fused multiply-adds that a core can do, by doing them: what timings are a share of.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::execute::Real;

/// Chains of multiply-adds that do not wait for each other: enough to hide the latency of two units.
const CHAINS: usize = 12;

/// Defines a loop of `CHAINS` × rounds multiply-adds of vectors that stay in registers.
#[cfg(target_arch = "x86_64")]
macro_rules! chains {
    ($name:ident, $features:literal, $float:ident, $set1:ident, $fma:ident, $add:ident, $vector:ty) => {
        #[target_feature(enable = $features)]
        fn $name(rounds: usize) {
            use std::arch::x86_64::{$add, $fma, $set1};
            let (a, b) = ($set1(black_box(0.5 as $float)), $set1(black_box(0.25 as $float)));
            let mut chains: [$vector; CHAINS] = [b; CHAINS];
            for _ in 0..rounds {
                for chain in &mut chains {
                    *chain = $fma(*chain, a, b);
                }
            }
            black_box(chains.into_iter().reduce(|x, y| $add(x, y)));
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod loops {
    use super::{CHAINS, black_box};
    use crate::execute::isa::Isa;
    use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

    chains!(wide_f32, "avx512f", f32, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps, __m512);
    chains!(wide_f64, "avx512f", f64, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_add_pd, __m512d);
    chains!(half_f32, "avx2,fma", f32, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps, __m256);
    chains!(half_f64, "avx2,fma", f64, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_add_pd, __m256d);

    /// Runs the widest loop that the machine has; gives the lanes of its vectors, or nothing if it has none.
    pub fn run(bytes: usize, rounds: usize) -> Option<usize> {
        let isa = Isa::best();
        // SAFETY: the machine has the features that each loop is compiled for; the code is otherwise safe.
        unsafe {
            match (bytes, isa) {
                (4, Isa::Avx512) => wide_f32(rounds),
                (8, Isa::Avx512) => wide_f64(rounds),
                (4, Isa::Avx2) => half_f32(rounds),
                (8, Isa::Avx2) => half_f64(rounds),
                _ => return None,
            }
        }
        Some(if isa == Isa::Avx512 { 64 } else { 32 } / bytes)
    }
}

/// The same for any machine, as far as its compiler makes vectors of it.
fn portable<T: Real>(rounds: usize) -> usize {
    const LANES: usize = 8;
    let (a, b) = (black_box(T::from_f64(0.5)), black_box(T::from_f64(0.25)));
    let mut chains = [[b; LANES]; CHAINS];
    for _ in 0..rounds {
        for chain in &mut chains {
            *chain = chain.map(|x| if cfg!(target_arch = "aarch64") { x.fused(a, b) } else { x * a + b });
        }
    }
    black_box(chains);
    LANES
}

/// Floating point operations a second of the calling thread at the best of `attempts` tries: two for each lane of each
/// multiply-add, in vectors as wide as the machine has them.
pub fn multiply_add_peak<T: Real>(attempts: usize) -> f64 {
    const ROUNDS: usize = 1_000_000;
    let attempt = || {
        let start = Instant::now();
        #[cfg(target_arch = "x86_64")]
        let lanes = loops::run(size_of::<T>(), ROUNDS).unwrap_or_else(|| portable::<T>(ROUNDS));
        #[cfg(not(target_arch = "x86_64"))]
        let lanes = portable::<T>(ROUNDS);
        (2 * lanes * CHAINS * ROUNDS) as f64 / start.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
    };
    (0..attempts).map(|_| attempt()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_that_of_a_processor() {
        let (single, double) = (multiply_add_peak::<f32>(2), multiply_add_peak::<f64>(2));
        for peak in [single, double] {
            assert!((1e8..1e12).contains(&peak), "{peak:e}");
        }
    }
}
