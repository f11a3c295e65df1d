//! Random numbers: the one door to them. Counter-based and keyed (seed, purpose, index), so that sample i is the same
//! whatever else was drawn, on any number of threads or shards.

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::special_functions::normal_quantile;

/// What a stream is for; streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Latents from a prior.
    Prior = 1,
    /// Keys of reservoirs.
    Reservoir = 2,
    /// Which samples are looked at closely.
    Spots = 3,
    /// Directions in which derivatives are checked.
    Directions = 4,
    /// Bootstrap weights.
    Bootstrap = 5,
    /// Random orders of latents.
    Orders = 6,
    /// Points of the built-in toys.
    Toys = 53,
    /// Starts of a model's parameters.
    Weights = 48,
    /// Noise within a step of training.
    TrainingNoise = 49,
    /// The order of an epoch.
    EpochOrder = 50,
    /// Which samples are held out.
    HeldOut = 51,
    /// Noise of an evaluation on held-out samples.
    Evaluation = 52,
    /// Batches and noise of an adversary.
    Adversary = 54,
    /// Noise of gradients that are compared.
    Gradients = 56,
    /// First centres of a mixture that is fitted to codes.
    Centres = 55,
    /// Probes of a sketch.
    Sketch = 16,
    /// Probes of the sketches by which sketches are checked.
    SketchCheck = 17,
    /// Seeds of the classes of a run.
    Classes = 18,
    /// Which rows of codes test and which train.
    Split = 32,
    /// Orders of shuffled factors.
    Shuffle = 33,
    /// Random turns of codes.
    Turn = 34,
    /// Rows of resampled codes.
    Rows = 35,
    /// Batches in which a factor is held fixed.
    Interventions = 36,
    /// Permutations of two samples.
    Permutation = 37,
    /// Draws from the posterior of codes.
    Posterior = 38,
    /// Noise on pictures.
    Noise = 39,
}

/// A stream of random numbers that belongs to one index.
///
/// `doubles` is the number of uniforms that every index may take; the index starts at `index · doubles`.
pub struct Stream(ChaCha12Rng);

impl Stream {
    /// The stream of (seed, purpose, index).
    pub fn new(seed: u64, purpose: Purpose, index: u64, doubles: usize) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha12Rng::from_seed(key);
        rng.set_stream(purpose as u64);
        // A double takes two of the generator's 32-bit words.
        rng.set_word_pos(u128::from(index) * doubles as u128 * 2);
        Self(rng)
    }

    /// Uniform in (0, 1), neither end included.
    pub fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) * 2.0_f64.powi(-53)
    }

    /// Uniform among 0 … n − 1, from exactly one uniform.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// The numbers 0 … n − 1 in random order (Fisher and Yates 1938).
    pub fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }

    /// Standard normal, from exactly one uniform.
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }
}

/// A 64-bit hash of (seed, purpose, index): the key by which reservoirs choose.
pub fn hash(seed: u64, purpose: Purpose, index: u64) -> u64 {
    mix(mix(mix(seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(purpose as u64)).wrapping_add(index))
}

/// Rows in the order of their keys: random, and the same on every machine.
pub fn by_key(rows: impl IntoIterator<Item = usize>, key: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut keyed: Vec<(u64, usize)> = rows.into_iter().map(|row| (key(row), row)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// A random split of 0 … n − 1 into what stays and a share that is set apart, each ascending.
pub fn set_apart(seed: u64, purpose: Purpose, n: usize, share: f64) -> (Vec<usize>, Vec<usize>) {
    let mut stays = by_key(0..n, |row| hash(seed, purpose, row as u64));
    let mut apart: Vec<usize> = stays.drain(..(n as f64 * share).round() as usize).collect();
    stays.sort_unstable();
    apart.sort_unstable();
    (stays, apart)
}

/// A bijection of 64-bit words in which every input bit moves every output bit (the finaliser of SplitMix64, Steele,
/// Lea and Flood 2014).
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_the_same_alone_and_in_a_row() {
        let mut row = Stream::new(7, Purpose::Prior, 0, 3);
        let all: Vec<f64> = (0..300).map(|_| row.normal()).collect();
        for index in [0_u64, 1, 5, 21, 22, 99] {
            let mut one = Stream::new(7, Purpose::Prior, index, 3);
            let got: Vec<f64> = (0..3).map(|_| one.normal()).collect();
            assert_eq!(got, all[index as usize * 3..][..3]);
        }
    }

    #[test]
    fn moments_of_the_normal() {
        let mut stream = Stream::new(1, Purpose::Prior, 0, 1);
        let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let n = draws.len() as f64;
        let moment = |p: i32| draws.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        assert!(moment(1).abs() < 4.0 / n.sqrt());
        assert!((moment(2) - 1.0).abs() < 4.0 * (2.0 / n).sqrt());
        assert!(moment(3).abs() < 4.0 * (15.0 / n).sqrt());
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / n).sqrt());
    }

    #[test]
    fn purposes_and_seeds_differ() {
        let first = |seed, purpose| Stream::new(seed, purpose, 0, 1).uniform();
        assert!(first(0, Purpose::Prior) != first(0, Purpose::Directions));
        assert!(first(0, Purpose::Prior) != first(1, Purpose::Prior));
        assert!(hash(0, Purpose::Spots, 1) != hash(0, Purpose::Spots, 2));
    }
}
