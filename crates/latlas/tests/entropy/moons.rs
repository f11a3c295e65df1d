//! Two moons with uniform arcs and normal noise: the entropy of the data is known, and no model does better.

use std::f64::consts::PI;

use crate::explicit::{Explicit, inputs, of, settings};
use latlas::run::{Inputs, Sampling, Settings, run};
use latlas::samples::Prior;
use ndarray::Array2;

const NOISE: f64 = 0.1;
/// −E log p of the density below, by quadrature.
const ENTROPY: f64 = 1.007_584_834_8;
const H0: f64 = 1.418_938_533_204_672_7;

/// Points t ∈ [0, π] on both arcs with their weights, sum 1.
fn arcs(points: impl Iterator<Item = (f64, f64)>) -> Prior {
    let (mut weights, mut means) = (Vec::new(), Vec::new());
    for (t, weight) in points {
        weights.extend([0.5 * weight; 2]);
        means.extend([vec![t.cos(), t.sin()], vec![1.0 - t.cos(), 0.5 - t.sin()]]);
    }
    Prior::Mixture { stds: vec![vec![NOISE; 2]; means.len()], weights, means }
}

/// Uniform arcs: Gauss–Legendre quadrature with four nodes on each of 48 pieces.
fn uniform() -> Prior {
    let (outer, inner) = (0.861_136_311_594_052_6, 0.339_981_043_584_856_3);
    let (light, heavy) = (0.347_854_845_137_453_85, 0.652_145_154_862_546_1);
    let nodes = [(-outer, light), (-inner, heavy), (inner, heavy), (outer, light)];
    arcs((0..48).flat_map(move |piece| nodes.map(|(x, w)| (PI * (f64::from(piece) + 0.5 + 0.5 * x) / 48.0, w / 96.0))))
}

/// So many points on each arc at equal distances, both ends among them.
fn discrete(n: u32) -> Prior {
    arcs((0..n).map(move |k| (PI * f64::from(k) / f64::from(n - 1), 1.0 / f64::from(n))))
}

/// −∫ p log p by sums on a grid, which for smooth densities that fade converge faster than any power of its width.
fn entropy(prior: &Prior, width: f64) -> f64 {
    let steps = |low: f64, high: f64| (0..=((high - low) / width) as u32).map(move |k| low + width * f64::from(k));
    let mut entropy = 0.0;
    for x in steps(-1.8, 2.8) {
        for y in steps(-1.3, 1.8) {
            let surprisal = prior.surprisal(&[x, y], 0..2).unwrap();
            entropy += width * width * (-surprisal).exp() * surprisal;
        }
    }
    entropy
}

#[test]
fn the_density_has_the_known_entropy() {
    let found = entropy(&uniform(), 0.025);
    assert!((found - ENTROPY).abs() < 1e-10, "{found}");
    assert!((ENTROPY - 2.0 * H0 + 1.830_292_231_6).abs() < 1e-10);
    // Ends that count as a whole point each spread the arcs a little.
    for (n, expected) in [(500, 1.0094), (2000, 1.0080)] {
        let found = entropy(&discrete(n), 0.05);
        assert!((found - expected).abs() < 5e-5, "{n}: {found}");
    }
}

#[test]
fn the_true_model_is_estimated_at_the_entropy_of_the_data() {
    // Latents that are distributed like the data, and maps of them that keep areas.
    let identity = Explicit::linear(2, vec![1., 0., 0., 1.]);
    let banana = Explicit::new(2, 2, |z| vec![z[0], z[1] + z[0] * z[0]], |z| vec![1., 0., 2.0 * z[0], 1.]);
    for decoder in [identity, banana] {
        let inputs = Inputs { prior: uniform(), ..inputs(decoder) };
        let report = run(&["total-entropy".into()], &inputs, &settings(10_000), &|_, _| {}).unwrap();
        let (got, error) = of(&report, "total-entropy");
        assert!((got[0] - ENTROPY).abs() < 4.0 * error[0] && error[0] < 0.01, "{got:?} ± {error:?}");
    }
}

/// What a model says of data is a cross-entropy, and never below the entropy of the data.
#[test]
fn no_model_has_a_lower_cross_entropy() {
    let data: Array2<f64> = uniform().draw(3, 0..4000, 2);
    let centred = |width: f64, height: f64| {
        let f = move |z: &[f64]| vec![0.5 + width * z[0], 0.25 + height * z[1]];
        Explicit::new(2, 2, f, move |_| vec![width, 0., 0., height])
    };
    let (width, height) = (data.column(0).std(0.0), data.column(1).std(0.0));
    let settings = Settings { sampling: Sampling::Data, ..settings(1) };
    let cross_entropy = |prior: Prior, decoder: Explicit| {
        let inputs = Inputs { prior, data: Some(data.clone()), ..inputs(decoder) };
        let report = run(&["total-entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
        assert_eq!(report.estimates[0].extra["convention"]["cross_entropy"], true);
        let (value, error) = of(&report, "total-entropy");
        (value[0], error[0])
    };
    let models = [(width, height), (1.0, 1.0), (0.5, 0.2)].map(|(w, h)| cross_entropy(Prior::Normal, centred(w, h)));
    for (value, error) in models {
        assert!(value > ENTROPY + 4.0 * error, "{value} ± {error}");
    }
    // The normal distribution that fits best has the entropy of its own covariance, up to the shift of its centre.
    let best = 2.0 * H0 + (width * height).ln();
    assert!((models[0].0 - best).abs() < 0.01, "{models:?} {best}");
    let (truth, error) = cross_entropy(uniform(), Explicit::linear(2, vec![1., 0., 0., 1.]));
    assert!((truth - ENTROPY).abs() < 4.0 * error && error < 0.015, "{truth} ± {error}");
}
