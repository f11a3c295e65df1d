//! Closed forms against finite differences, plain quadrature and published constants.

#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Array3, Axis};

use super::*;
use crate::linalg;
use crate::models::{Decoder, Linearization};

/// Every closed form with its defaults, and some with other parameters.
fn all() -> Vec<ClosedForm> {
    let defaults = TABLE.iter().map(|entry| entry.id.to_string());
    let others = ["linear:a=1,1,0/0,1,1/0,0,1/1,0,1", "banana:c=2", "polar:s=0.2:a=1.5", "torus:R=1.2:r=1:b=2", "inversion:d=4:shift=3"];
    defaults.chain(others.map(String::from)).map(|name| ClosedForm::named(&name).unwrap()).collect()
}

/// Numbers in (−1, 1) without a pattern that a map could share.
fn scattered(seed: usize, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |k| ((k * 7919 + seed * 104_729 + 13) as f64 * 0.618_033_988_749_895).fract() * 2.0 - 1.0)
}

fn points(n: usize, d: usize) -> Array2<f64> {
    Array1::from_iter(scattered(1, n * d)).into_shape_with_order((n, d)).unwrap()
}

fn vectors(seed: usize, n: usize, k: usize, width: usize) -> Array3<f64> {
    Array1::from_iter(scattered(seed, n * k * width)).into_shape_with_order((n, k, width)).unwrap()
}

#[test]
fn derivatives_match_differences() {
    for form in all() {
        let (z, step) = (points(7, form.latent_dim()), 1e-3);
        let v = vectors(2, 7, 3, form.latent_dim());
        let derivative = form.linearize(z.view(), None).unwrap().jvp(v.view()).unwrap();
        for k in 0..3 {
            let at = |t: f64| form.decode((&z + &(&v.index_axis(Axis(1), k) * (t * step))).view(), None).unwrap();
            // Of fourth order, so that the step need not be small: about 1e-12 remains.
            let difference = ((at(1.0) - at(-1.0)) * 8.0 - (at(2.0) - at(-2.0))) / (12.0 * step);
            let exact = derivative.index_axis(Axis(1), k);
            let scale = exact.fold(1.0, |m: f64, x| m.max(x.abs()));
            let worst = (&difference - &exact).fold(0.0, |m: f64, x| m.max(x.abs())) / scale;
            // The reciprocal of |y|² varies most: its fifth derivative counts.
            let tolerance = if form.name().contains("inversion:") || form.name().ends_with("inversion") { 1e-6 } else { 1e-9 };
            assert!(worst < tolerance, "{}: {worst}", form.name());
        }
    }
}

/// A map and its graph are one map; the formula's Jacobian is the oracle of the graph's, and its differences of the second derivatives.
#[test]
fn graphs_match_their_maps() {
    let mut written = 0;
    for form in all() {
        let Some(graph) = form.written() else { continue };
        written += 1;
        let (z, v) = (points(7, form.latent_dim()), vectors(2, 7, 1, form.latent_dim()));
        let at = |z: &Array2<f64>| form.linearize(z.view(), None).unwrap().columns().unwrap();
        let exact = graph.linearize(z.view(), None).unwrap();
        let close = |a: &Array3<f64>, b: &Array3<f64>, tolerance: f64| {
            let scale = a.fold(1.0, |m: f64, x| m.max(x.abs()));
            assert!((a - b).iter().all(|e| e.abs() < tolerance * scale), "{}: {a} {b}", form.name());
        };
        assert!((form.decode(z.view(), None).unwrap() - exact.decoded().unwrap()).iter().all(|e| e.abs() < 1e-14));
        close(&exact.columns().unwrap(), &at(&z), 1e-14);
        let v = v.index_axis_move(Axis(1), 0);
        let (columns, second) = form.linearize(z.view(), None).unwrap().columns_and_second(v.view()).unwrap();
        close(&columns, &at(&z), 1e-14);
        let step = 1e-3;
        let along = |t: f64| (at(&(&z + &(&v * (t * step)))) * &v.clone().insert_axis(Axis(2))).sum_axis(Axis(1));
        let difference = ((along(1.0) - along(-1.0)) * 8.0 - (along(2.0) - along(-2.0))) / (12.0 * step);
        close(&second.insert_axis(Axis(1)), &difference.insert_axis(Axis(1)), 1e-9);
    }
    assert!(written >= 7, "{written}");
}

#[test]
fn products_are_adjoint_and_match_the_columns() {
    for form in all() {
        let (d, ambient) = (form.latent_dim(), form.ambient_dim());
        let at = form.linearize(points(5, d).view(), None).map(|l| (l.columns().unwrap(), l)).unwrap();
        let (columns, linearization): (Array3<f64>, Box<dyn Linearization>) = at;
        let (v, u) = (vectors(3, 5, 2, d), vectors(4, 5, 2, ambient));
        let (jv, ju) = (linearization.jvp(v.view()).unwrap(), linearization.vjp(u.view()).unwrap());
        let (left, right) = ((&u * &jv).sum(), (&ju * &v).sum());
        assert!((left - right).abs() < 1e-12 * (1.0 + left.abs()), "{}: {left} {right}", form.name());
        let identity = Array3::from_shape_fn((5, d, d), |(_, i, j)| f64::from(u8::from(i == j)));
        assert_eq!(linearization.jvp(identity.view()).unwrap(), columns);
        assert!(linearization.jvp(vectors(5, 4, 2, d).view()).is_err());
    }
}

/// (E log ‖Jᵢ‖, E log |J|) by an independent rule: the trapezoid rule on a plain grid over [−9, 9]^d.
fn by_grid(form: &ClosedForm, steps: usize) -> (Vec<f64>, f64) {
    let d = form.latent_dim();
    let axis: Vec<f64> = (0..steps).map(|k| -9.0 + 18.0 * (k as f64 + 0.5) / steps as f64).collect();
    let grid: Vec<Vec<f64>> = (0..d)
        .fold(vec![vec![]], |grid, _| grid.iter().flat_map(|point| axis.iter().map(|z| [point.as_slice(), &[*z]].concat())).collect());
    let (mut norms, mut volume, mut weights) = (vec![0.0; d], 0.0, 0.0);
    for chunk in grid.chunks(10_000) {
        let z = Array2::from_shape_vec((chunk.len(), d), chunk.concat()).unwrap();
        let columns = form.linearize(z.view(), None).unwrap().columns().unwrap();
        for (z, columns) in z.outer_iter().zip(columns.outer_iter()) {
            let weight = (-0.5 * z.dot(&z)).exp();
            weights += weight;
            norms.iter_mut().zip(columns.outer_iter()).for_each(|(sum, column)| *sum += weight * 0.5 * column.dot(&column).ln());
            volume += weight * linalg::log_volume(linalg::r_factor(columns).view());
        }
    }
    (norms.iter().map(|sum| sum / weights).collect(), volume / weights)
}

#[test]
fn truths_match_quadrature() {
    // The rule is exact to rounding where the logarithms are smooth.
    let smooth = [
        "linear",
        "sinh:d=2",
        "exp:d=2",
        "cubic:d=2",
        "sigmoid:d=2",
        "normal-cdf:d=2",
        "shear:c=0.5",
        "banana:c=0.5",
        "banana:c=2",
        "torus",
        "torus:R=1.5:r=1:b=1.3",
        "swiss-roll",
        "swiss-roll:t0=1:s=2:h=3",
        "polar:s=0.05",
        "complex-exponential",
        "cylinder",
        "stereographic",
        "stereographic:r=3",
        "paraboloid:a=0.5",
        "paraboloid:a=1.5",
        "two-bumps",
    ];
    for name in smooth {
        let form = ClosedForm::named(name).unwrap();
        let ((norms, volume), truth) = (by_grid(&form, 400), form.truth());
        for (got, expected) in norms.iter().zip(&truth.log_norms) {
            assert!((got - expected).abs() < 1e-9, "{name}: {norms:?} {truth:?}");
        }
        assert!((volume - truth.log_volume).abs() < 1e-9, "{name}: {volume} {truth:?}");
    }
}

/// ∫ f φ over [−12, 12], φ the normal density, by the double-exponential rule between the points where f is singular.
fn singular_mean(singular: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let inside = singular.iter().copied().filter(|z| z.abs() < 12.0);
    let ends: Vec<f64> = std::iter::once(-12.0).chain(inside).chain([12.0]).collect();
    let piece = |a: f64, b: f64| {
        let term = |k: i32| {
            let t = f64::from(k) / 64.0;
            let (u, slope) = (std::f64::consts::FRAC_PI_2 * t.sinh(), std::f64::consts::FRAC_PI_2 * t.cosh());
            let z = 0.5 * (a + b) + 0.5 * (b - a) * u.tanh();
            let weight = 0.5 * (b - a) * slope / u.cosh().powi(2) / 64.0;
            let value = weight * f(z) * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
            if value.is_finite() { value } else { 0.0 }
        };
        (-220..=220).map(term).sum::<f64>()
    };
    ends.windows(2).map(|ends| piece(ends[0], ends[1])).sum()
}

#[test]
fn truths_with_singular_logarithms_match_quadrature() {
    for s in [0.2, 0.5, 2.0] {
        let expected = singular_mean(&[-1.0 / s], |z| (1.0 + s * z).abs().ln());
        let got = Polar { radius: s, angle: 1.0 }.truth().log_norms[1];
        assert!((got - expected).abs() < 1e-9, "polar {s}: {got} {expected}");
    }
    let poles: Vec<f64> = (-4..4).map(|k| (f64::from(k) + 0.5) * std::f64::consts::PI).collect();
    let (expected, got) = (singular_mean(&poles, |z| z.cos().abs().ln()), Sphere { radius: 1.0 }.truth().log_norms[1]);
    assert!((got - expected).abs() < 1e-9, "sphere: {got} {expected}");
    // In three dimensions the density of |y| about a centre at distance m is y/m (φ(y − m) − φ(y + m)), so that E log |y|²
    // is an integral over the whole line.
    let m = 1.5;
    let expected = singular_mean(&[-m], |z| (z + m) / m * (z + m).abs().ln() * 2.0);
    let got = -Inversion { latents: 3, shift: m }.truth().log_norms[0];
    assert!((got - expected).abs() < 1e-9, "inversion: {got} {expected}");
}

/// A line of a table of constants, each good to ten digits.
fn holds(name: &str, entropies: &[f64], total: f64, correlation: f64) {
    let truth = ClosedForm::named(name).unwrap().truth();
    let close = |a: f64, b: f64| (a - b).abs() < 6e-11 * (1.0 + entropies.len() as f64);
    let got = truth.manifold_entropy();
    assert!(got.len() == entropies.len() && got.iter().zip(entropies).all(|(a, b)| close(*a, *b)), "{name}: {got:?}");
    assert!(close(truth.total_entropy(), total), "{name}: total {}", truth.total_entropy());
    assert!(close(truth.total_correlation(), correlation), "{name}: correlation {}", truth.total_correlation());
}

#[test]
fn truths_match_published_constants() {
    let h0 = NORMAL_ENTROPY;
    holds("linear", &[2.1120857138, 1.7655121235], 3.5310242470, 0.3465735903);
    let columns = [h0 + 0.3465735903, h0 + 0.3465735903, h0 + 0.5493061443];
    holds("linear:a=1,1,0/0,1,1/0,0,1/1,0,1", &columns, 3.0 * h0 + 0.9729550745, 0.2694982504);
    for (angle, correlation) in [(0.0, 0.0), (22.5, 0.3179943834), (45.0, 0.5108256238)] {
        let (sin, cos) = f64::to_radians(angle).sin_cos();
        let truth = Linear::new(ndarray::arr2(&[[3.0 * cos, -3.0 * sin], [sin, cos]])).unwrap().truth();
        assert!((truth.total_correlation() - correlation).abs() < 1e-10 && (truth.total_entropy() - 3.9364893551).abs() < 1e-10);
    }
    for (name, entropy) in [("sinh", 1.7935057407), ("exp", h0), ("cubic", 1.9523917130), ("sigmoid", -0.1931798335), ("normal-cdf", 0.0)] {
        holds(&format!("{name}:d=2"), &[entropy; 2], 2.0 * entropy, 0.0);
    }
    for (c, correlation) in [(0.5, 0.1115717757), (1.0, 0.3465735903), (2.0, 0.8047189562)] {
        holds(&format!("shear:c={c}"), &[h0 + correlation, h0], 2.0 * h0, correlation);
    }
    for (c, correlation) in [(0.5, 0.2667265899), (1.0, 0.5813558537), (2.0, 1.0361578874)] {
        holds(&format!("banana:c={c}"), &[h0 + correlation, h0], 2.0 * h0, correlation);
    }
    for (s, log_radius) in [(0.05f64, -0.0012547271), (0.1, -0.0050776417), (0.2, -0.0214106945)] {
        let (radius, angle) = (h0 + s.ln(), h0 + 1.5f64.ln() + log_radius);
        holds(&format!("polar:s={s}:a=1.5"), &[radius, angle], radius + angle, 0.0);
    }
    holds("torus", &[2.4759688761, 0.7257913526], 3.2017602288, 0.0);
    for (d, entropy) in [(2, 1.3030070175), (3, 0.6893013787), (4, 0.3030070175), (10, -0.7803263158)] {
        holds(&format!("inversion:d={d}"), &vec![entropy; d], d as f64 * entropy, 0.0);
    }
    for (d, log_squared) in [(2, 2.1992979781), (4, 2.4190515344)] {
        holds(&format!("inversion:d={d}:shift=3"), &vec![h0 - log_squared; d], d as f64 * (h0 - log_squared), 0.0);
    }
}

#[test]
fn conformal_columns_are_orthogonal_and_equally_long() {
    let form = ClosedForm::named("inversion:d=4:shift=3").unwrap();
    let z = points(6, 4);
    let gram = form.linearize(z.view(), None).unwrap().gram().unwrap();
    for (z, gram) in z.outer_iter().zip(gram.outer_iter()) {
        let squared = z.dot(&z) + 6.0 * z[0] + 9.0;
        let expected: Array2<f64> = Array2::<f64>::eye(4) / (squared * squared);
        assert!((&gram - &expected).fold(0.0, |m: f64, x| m.max(x.abs())) < 1e-12 * expected[[0, 0]]);
    }
}

#[test]
fn names_and_parameters_are_checked() {
    let fault = |name: &str| ClosedForm::named(name).err().unwrap();
    assert!(fault("banan").hint().unwrap().contains("banana"));
    assert!(fault("banana:d=2").to_string().contains("no parameter \"d\""));
    assert!(fault("banana:2").to_string().contains("NAME=VALUE"));
    assert!(fault("banana:c=x").to_string().contains("c=x"));
    assert!(fault("banana:c=inf").to_string().contains("c=inf"));
    assert!(fault("sinh:d=0").to_string().contains("d=0"));
    assert!(fault("torus:r=3").to_string().contains("below R"));
    assert!(fault("linear:a=1,2/3").to_string().contains("row by row"));
    assert!(fault("linear:a=1,2").to_string().contains("at least as many rows"));
    let form = ClosedForm::named("banana:c=2").unwrap();
    assert_eq!(form.name(), "builtin:banana:c=2");
    let error = form.linearize(Array2::zeros((100, 3)).view(), None).err().unwrap();
    assert_eq!(error.to_string(), "builtin:banana:c=2 takes latents of width 2, got the shape [100, 3]");
}

#[test]
fn every_entry_has_a_page() {
    for entry in TABLE {
        assert!(entry.page().lines().count() >= 3 && entry.page().contains("h₀"), "{}", entry.id);
    }
}
