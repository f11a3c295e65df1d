//! Known solutions, the order of the method, and trouble.

use super::coefficients::{STAGES, WEIGHTS};
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
    integrate(array![[1.0, 0.0], [1.0, 0.0]].view(), Control { tolerance, max_steps: 1000, segments: 50 }, f, |_| true).unwrap()
}

#[test]
fn oscillations_are_followed_with_steps_of_their_own() {
    let tracks = oscillate(1e-11);
    for (track, frequency) in tracks.iter().zip([2.0_f64, 40.0]) {
        assert_eq!((track.end, track.t), (End::Reached, 1.0));
        assert!((track.y[0] - frequency.cos()).abs() < 1e-9, "{} {}", track.y[0], frequency.cos());
        for (k, point) in track.points.outer_iter().enumerate() {
            let (angle, exact) = (frequency * k as f64 / 50.0, 1e-8);
            assert!((point[0] - angle.cos()).abs() < exact, "{k}: {} {}", point[0], angle.cos());
            assert!((point[1] / frequency + angle.sin()).abs() < exact, "{k}: {} {}", point[1], angle.sin());
        }
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
    let control = Control { tolerance: 1e-8, max_steps: 10_000, segments: 1 };
    let tracks = integrate(array![[2.0], [0.5], [f64::NAN]].view(), control, explode, |_| true).unwrap();
    assert!(matches!(tracks[0].end, End::StepTooSmall | End::MaxSteps) && tracks[0].t < 0.501, "{:?}", tracks[0]);
    assert!((tracks[1].y[0] - 1.0).abs() < 1e-7 && tracks[1].end == End::Reached);
    assert_eq!(tracks[2].end, End::NonFinite);
    let few = Control { max_steps: 2, ..control };
    assert_eq!(integrate(array![[2.0]].view(), few, explode, |_| true).unwrap()[0].end, End::MaxSteps);
    assert_eq!(integrate(array![[0.5]].view(), control, explode, |step| step.to < 0.3).unwrap()[0].end, End::Stopped);
}
