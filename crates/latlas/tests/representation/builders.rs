//! Exact and histogram splits over sets of different structure.

use latlas::codes::importance::{completeness, disentanglement};
use latlas::codes::{CodeSet, Given, Matrix};
use latlas::random::{Purpose, Stream};
use latlas::settings::{Builder, Settings};
use ndarray::Array2;

const SIZES: [usize; 3] = [3, 4, 8];

/// Codes from scaled factors and noise.
fn set(n: usize, code: fn(&[f64], &mut Stream) -> Vec<f64>, builder: Builder) -> CodeSet {
    let part = |n: usize, key: u64| {
        let mut stream = Stream::new(8, Purpose::Directions, key, 1 << 24);
        let (mut codes, mut factors) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let y: Vec<f64> = SIZES.iter().map(|size| stream.below(*size) as f64).collect();
            let scaled: Vec<f64> = y.iter().zip(SIZES).map(|(y, size)| (y / (size - 1) as f64 - 0.5) * 3.4).collect();
            codes.push(code(&scaled, &mut stream));
            factors.push(y);
        }
        (Matrix::from(&crate::rows::matrix(&codes)), Some(Matrix::from(&crate::rows::matrix(&factors))))
    };
    let ((codes, factors), (test_codes, test_factors)) = (part(n, 0), part(n / 2, 1));
    let given = Given { codes, factors, test_codes: Some(test_codes), test_factors, ..Given::default() };
    CodeSet::new(&given, &Settings { builder: Some(builder), ..Settings::default() }).unwrap()
}

fn noisy(y: &[f64], stream: &mut Stream) -> Vec<f64> {
    y.iter().map(|y| y + 0.15 * stream.normal()).collect()
}

fn with_noise(y: &[f64], stream: &mut Stream) -> Vec<f64> {
    let mut z: Vec<f64> = y.iter().map(|y| y + 0.15 * stream.normal()).collect();
    z.push(stream.normal());
    z
}

fn turned(y: &[f64], stream: &mut Stream) -> Vec<f64> {
    let z = with_noise(y, stream);
    vec![0.9 * z[0] - 0.4 * z[1], 0.4 * z[0] + 0.9 * z[1], z[2], z[3]]
}

fn warped(y: &[f64], stream: &mut Stream) -> Vec<f64> {
    let z = with_noise(y, stream);
    vec![z[0].tanh(), z[1].powi(3), (0.8 * z[2]).sin(), z[2] * z[0]]
}

fn clean(y: &[f64], _: &mut Stream) -> Vec<f64> {
    vec![y[0] + 0.25 * y[1], y[1], y[2], 0.5 * y[2] + y[0]]
}

/// Where classes overlap more and rows are fewer, trees without bins single out rows and both differ by more; so do
/// scikit-learn's trees of values and of their 255 quantile bins.
#[test]
fn histograms_agree_with_exact_splits() {
    let sets: [(&str, fn(&[f64], &mut Stream) -> Vec<f64>); 5] =
        [("noisy", noisy), ("with noise", with_noise), ("turned", turned), ("warped", warped), ("clean", clean)];
    for (name, code) in sets {
        let [exact, histogram] = [Builder::Exact, Builder::Histogram].map(|builder| {
            let set = set(8000, code, builder);
            let fits: Vec<_> = set.boosted().iter().flatten().collect();
            let rows: Vec<Vec<f64>> = (0..set.n_codes()).map(|l| fits.iter().map(|fit| fit.importances[l]).collect()).collect();
            let accuracy = fits.iter().map(|fit| fit.test_accuracy).sum::<f64>() / fits.len() as f64;
            [disentanglement(&rows).value, completeness(&rows).value, accuracy]
        });
        for (place, (a, b)) in exact.iter().zip(&histogram).enumerate() {
            let tolerance = if place == 2 { 0.005 } else { 0.01 };
            assert!((a - b).abs() < tolerance, "{name}, place {place}: {a} {b}");
        }
    }
}

/// The matrix of what an array holds comes back.
#[test]
fn given_arrays_come_back() {
    let array = Array2::from_shape_fn((3, 2), |(i, j)| (i * 2 + j) as f64);
    assert_eq!(Matrix::from(&array).array(), array);
}
