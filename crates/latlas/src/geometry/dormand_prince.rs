//! Ordinary differential equations by the pair of Dormand and Prince of order 8, with error estimates of orders 5 and 3.
//!
//! A batch advances together: every sample has its own time and step, and each stage is one call of the right-hand side for all that
//! are not done. Coefficients, error norm and step control are those of Hairer, Nørsett and Wanner, *Solving Ordinary Differential
//! Equations I*, 1993, section II.10 and the code DOP853.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::error::Result;

/// Stages 1 to 11: pairs (earlier stage, coefficient).
const STAGES: [&[(usize, f64)]; 11] = [
    &[(0, 0.052_600_151_958_767_73)],
    &[(0, 0.019_725_056_984_537_9), (1, 0.059_175_170_953_613_7)],
    &[(0, 0.029_587_585_476_806_85), (2, 0.088_762_756_430_420_54)],
    &[(0, 0.241_365_134_159_266_7), (2, -0.884_549_479_328_286_1), (3, 0.924_834_003_261_792)],
    &[(0, 0.037_037_037_037_037_035), (3, 0.170_828_608_729_473_86), (4, 0.125_467_687_566_822_42)],
    &[(0, 0.037_109_375), (3, 0.170_252_211_019_544_05), (4, 0.060_216_538_980_455_96), (5, -0.017_578_125)],
    &[
        (0, 0.037_092_000_118_504_79),
        (3, 0.170_383_925_712_239_98),
        (4, 0.107_262_030_446_373_28),
        (5, -0.015_319_437_748_624_402),
        (6, 0.008_273_789_163_814_023),
    ],
    &[
        (0, 0.624_110_958_716_075_7),
        (3, -3.360_892_629_446_941_4),
        (4, -0.868_219_346_841_726),
        (5, 27.592_099_699_446_71),
        (6, 20.154_067_550_477_894),
        (7, -43.489_884_181_069_96),
    ],
    &[
        (0, 0.477_662_536_438_264_34),
        (3, -2.488_114_619_971_667_7),
        (4, -0.590_290_826_836_843),
        (5, 21.230_051_448_181_193),
        (6, 15.279_233_632_882_423),
        (7, -33.288_210_968_984_86),
        (8, -0.020_331_201_708_508_627),
    ],
    &[
        (0, -0.937_142_430_085_987_3),
        (3, 5.186_372_428_844_064),
        (4, 1.091_437_348_996_729_5),
        (5, -8.149_787_010_746_927),
        (6, -18.520_065_659_996_96),
        (7, 22.739_487_099_350_505),
        (8, 2.493_605_552_679_652_3),
        (9, -3.046_764_471_898_219_6),
    ],
    &[
        (0, 2.273_310_147_516_538),
        (3, -10.534_495_466_737_25),
        (4, -2.000_872_058_224_862_5),
        (5, -17.958_931_863_118_8),
        (6, 27.948_884_529_419_96),
        (7, -2.858_998_277_135_023_5),
        (8, -8.872_856_933_530_63),
        (9, 12.360_567_175_794_303),
        (10, 0.643_392_746_015_763_6),
    ],
];
/// The result of order 8.
const WEIGHTS: &[(usize, f64)] = &[
    (0, 0.054_293_734_116_568_765),
    (5, 4.450_312_892_752_409),
    (6, 1.891_517_899_314_500_3),
    (7, -5.801_203_960_010_585),
    (8, 0.311_164_366_957_819_9),
    (9, -0.152_160_949_662_516_1),
    (10, 0.201_365_400_804_030_34),
    (11, 0.044_710_615_727_772_59),
];
/// The result less that of order 5.
const ERROR_5: &[(usize, f64)] = &[
    (0, 0.013_120_044_994_194_88),
    (5, -1.225_156_446_376_204_4),
    (6, -0.495_758_949_657_250_2),
    (7, 1.664_377_182_454_986_4),
    (8, -0.350_328_848_749_973_66),
    (9, 0.334_179_118_713_017_5),
    (10, 0.081_923_206_485_115_71),
    (11, -0.022_355_307_863_886_294),
];
/// The result less that of order 3.
const ERROR_3: &[(usize, f64)] = &[
    (0, -0.189_800_754_072_407_62),
    (5, 4.450_312_892_752_409),
    (6, 1.891_517_899_314_500_3),
    (7, -5.801_203_960_010_585),
    (8, -0.422_682_321_323_791_9),
    (9, -0.152_160_949_662_516_1),
    (10, 0.201_365_400_804_030_34),
    (11, 0.022_651_792_198_360_82),
];
/// How to integrate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// Of the local error, relative and absolute.
    pub tolerance: f64,
    /// Accepted and rejected steps of one sample.
    pub max_steps: usize,
}

/// Why a sample is no longer advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At t = 1.
    Reached,
    /// The limit of steps.
    MaxSteps,
    /// A step below the resolution of t.
    StepTooSmall,
    /// Not finite at the start.
    NonFinite,
    /// What watches the steps asked for it.
    Stopped,
}

/// A sample of the batch.
#[derive(Debug, Clone)]
pub struct Track {
    /// y at `t`.
    pub y: Array1<f64>,
    /// Between 0 and 1.
    pub t: f64,
    /// Accepted and rejected.
    pub steps: usize,
    /// How it ended.
    pub end: End,
}

/// One sample on its way.
struct Running {
    track: Track,
    /// dy/dt at `track.y`.
    slope: Array1<f64>,
    step: f64,
    rejected: bool,
}

/// Integrates y' = f(y) over t from 0 to 1 for each row of `start [n, w]`.
///
/// `f` takes the indices of the samples and their rows. `accepted` is told every step and may stop the sample by giving
/// `false`.
///
/// # Errors
/// Those of `f`.
pub fn integrate(
    start: ArrayView2<'_, f64>,
    control: Control,
    mut f: impl FnMut(&[usize], ArrayView2<'_, f64>) -> Result<Array2<f64>>,
    mut accepted: impl FnMut(&Step<'_>) -> bool,
) -> Result<Vec<Track>> {
    let (n, w) = start.dim();
    let everyone: Vec<usize> = (0..n).collect();
    let slopes = f(&everyone, start)?;
    let mut all: Vec<Running> = start
        .outer_iter()
        .zip(slopes.outer_iter())
        .map(|(y, slope)| {
            let end = if y.iter().chain(slope).all(|x| x.is_finite()) { End::Reached } else { End::NonFinite };
            let track = Track { y: y.to_owned(), t: 0.0, steps: 0, end };
            Running { step: first_step(&track.y, &slope.to_owned(), control.tolerance), track, slope: slope.to_owned(), rejected: false }
        })
        .collect();
    let mut active: Vec<usize> = everyone.into_iter().filter(|i| all[*i].track.end == End::Reached).collect();
    while !active.is_empty() {
        let m = active.len();
        let mut slopes: Vec<Array2<f64>> = Vec::with_capacity(STAGES.len() + 2);
        slopes.push(rows(&active, w, |i| &all[i].slope));
        let base = rows(&active, w, |i| &all[i].track.y);
        let steps: Array1<f64> = active.iter().map(|i| all[*i].step).collect();
        let steps = steps.insert_axis(Axis(1));
        let combined = |slopes: &[Array2<f64>], weights: &[(usize, f64)]| {
            let mut sum = Array2::<f64>::zeros((m, w));
            weights.iter().for_each(|(stage, weight)| sum.scaled_add(*weight, &slopes[*stage]));
            sum * &steps
        };
        for weights in STAGES {
            let y = &base + &combined(&slopes, weights);
            slopes.push(f(&active, y.view())?);
        }
        let ends = &base + &combined(&slopes, WEIGHTS);
        slopes.push(f(&active, ends.view())?);
        let (fifth, third) = (combined(&slopes, ERROR_5), combined(&slopes, ERROR_3));
        let mut rest = Vec::with_capacity(m);
        for (row, &i) in active.iter().enumerate() {
            let sample = &mut all[i];
            let (end, slope) = (ends.row(row), slopes[STAGES.len() + 1].row(row));
            let error = error_norm([fifth.row(row), third.row(row)], [sample.track.y.view(), end], control.tolerance);
            let usable = error.is_finite() && end.iter().chain(slope).all(|x| x.is_finite());
            sample.track.steps += 1;
            // Order 8: the step that would just meet the tolerance is step · error^(−1/8).
            let factor = if !usable {
                0.1
            } else if error > 0.0 {
                (0.9 * error.powf(-0.125)).clamp(0.2, 10.0)
            } else {
                10.0
            };
            if usable && error <= 1.0 {
                let t = if sample.track.t + sample.step >= 1.0 { 1.0 } else { sample.track.t + sample.step };
                let step = Step { sample: i, to: t, y: end, slope, error };
                let go_on = accepted(&step);
                sample.track.t = t;
                sample.track.y.assign(&end);
                sample.slope.assign(&slope);
                sample.step *= if sample.rejected { factor.min(1.0) } else { factor };
                sample.rejected = false;
                if !go_on {
                    sample.track.end = End::Stopped;
                    continue;
                }
                if t >= 1.0 {
                    continue;
                }
            } else {
                sample.step *= factor.min(1.0);
                sample.rejected = true;
            }
            // A step that would leave almost nothing takes that too.
            let left = 1.0 - sample.track.t;
            sample.step = if sample.step > 0.999_999 * left { left } else { sample.step };
            if sample.step < 1e-14 {
                sample.track.end = End::StepTooSmall;
            } else if sample.track.steps >= control.max_steps {
                sample.track.end = End::MaxSteps;
            } else {
                rest.push(i);
            }
        }
        active = rest;
    }
    Ok(all.into_iter().map(|sample| sample.track).collect())
}

/// An accepted step.
pub struct Step<'a> {
    /// Of which sample.
    pub sample: usize,
    /// t after it.
    pub to: f64,
    /// y after it.
    pub y: ndarray::ArrayView1<'a, f64>,
    /// dy/dt after it.
    pub slope: ndarray::ArrayView1<'a, f64>,
    /// Its error estimate, in units of the tolerance.
    pub error: f64,
}

fn rows<'a>(active: &[usize], w: usize, of: impl Fn(usize) -> &'a Array1<f64>) -> Array2<f64> {
    let mut rows = Array2::zeros((active.len(), w));
    rows.outer_iter_mut().zip(active).for_each(|(mut row, i)| row.assign(of(*i)));
    rows
}

/// A step that changes y by a hundredth, or a tenth of the interval.
fn first_step(y: &Array1<f64>, slope: &Array1<f64>, tolerance: f64) -> f64 {
    let norm = |x: &Array1<f64>| x.iter().zip(y).map(|(x, y)| (x / (tolerance * (1.0 + y.abs()))).powi(2)).sum::<f64>().sqrt();
    let (size, speed) = (norm(y), norm(slope));
    if size > 1e-5 && speed > 1e-5 { (0.01 * size / speed).clamp(1e-6, 0.1) } else { 0.01 }
}

/// √(mean square) of the estimates over the tolerance, the fifth order damped by the third.
fn error_norm([fifth, third]: [ndarray::ArrayView1<'_, f64>; 2], ends: [ndarray::ArrayView1<'_, f64>; 2], tolerance: f64) -> f64 {
    let (mut five, mut three) = (0.0, 0.0);
    for (k, (a, b)) in fifth.iter().zip(third).enumerate() {
        let scale = tolerance * (1.0 + ends[0][k].abs().max(ends[1][k].abs()));
        five += (a / scale) * (a / scale);
        three += (b / scale) * (b / scale);
    }
    if five == 0.0 {
        return 0.0;
    }
    five / ((five + 0.01 * three) * fifth.len() as f64).sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Two oscillators of their own frequencies, told apart by their indices.
    fn oscillate(tolerance: f64) -> Vec<Track> {
        let frequency = [2.0, 40.0];
        let f = |who: &[usize], y: ArrayView2<'_, f64>| {
            let mut slope = Array2::zeros(y.dim());
            for (row, i) in who.iter().enumerate() {
                slope[[row, 0]] = y[[row, 1]];
                slope[[row, 1]] = -frequency[*i] * frequency[*i] * y[[row, 0]];
            }
            Ok(slope)
        };
        integrate(array![[1.0, 0.0], [1.0, 0.0]].view(), Control { tolerance, max_steps: 1000 }, f, |_| true).unwrap()
    }

    #[test]
    fn oscillations_are_followed_with_steps_of_their_own() {
        let tracks = oscillate(1e-11);
        for (track, frequency) in tracks.iter().zip([2.0_f64, 40.0]) {
            assert_eq!((track.end, track.t), (End::Reached, 1.0));
            assert!((track.y[0] - frequency.cos()).abs() < 1e-9, "{} {}", track.y[0], frequency.cos());
        }
        assert!(tracks[1].steps > 4 * tracks[0].steps, "{} {}", tracks[1].steps, tracks[0].steps);
    }

    /// Halving the step of a method of order 8 divides its error by 2⁸ = 256: the coefficients are right.
    #[test]
    fn the_order_is_eight() {
        let error = |n: usize| {
            let (h, mut y) = (1.0 / n as f64, array![[1.0]]);
            for _ in 0..n {
                let mut slopes = vec![y.clone()];
                for weights in STAGES {
                    let at = weights.iter().fold(y.clone(), |sum, (stage, weight)| sum + &slopes[*stage] * (h * weight));
                    slopes.push(at);
                }
                y = WEIGHTS.iter().fold(y.clone(), |sum, (stage, weight)| sum + &slopes[*stage] * (h * weight));
            }
            (y[[0, 0]] - 1.0_f64.exp()).abs()
        };
        let ratio = error(1) / error(2);
        assert!((200.0..320.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn trouble_has_a_name() {
        let explode = |_: &[usize], y: ArrayView2<'_, f64>| Ok(y.mapv(|y| y * y));
        let control = Control { tolerance: 1e-8, max_steps: 10_000 };
        let tracks = integrate(array![[2.0], [0.5], [f64::NAN]].view(), control, explode, |_| true).unwrap();
        assert!(matches!(tracks[0].end, End::StepTooSmall | End::MaxSteps) && tracks[0].t < 0.501, "{:?}", tracks[0]);
        assert!((tracks[1].y[0] - 1.0).abs() < 1e-7 && tracks[1].end == End::Reached);
        assert_eq!(tracks[2].end, End::NonFinite);
        let few = Control { max_steps: 2, ..control };
        assert_eq!(integrate(array![[2.0]].view(), few, explode, |_| true).unwrap()[0].end, End::MaxSteps);
        assert_eq!(integrate(array![[0.5]].view(), control, explode, |step| step.to < 0.3).unwrap()[0].end, End::Stopped);
    }
}
