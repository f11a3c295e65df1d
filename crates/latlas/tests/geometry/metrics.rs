//! Metrics, volumes, accelerations and lengths of the closed forms.

use latlas::geometry::{Curves, Embedding, Manifold};
use ndarray::{Array2, Array3, Axis, array};

use crate::spaces::{all, digits, half_plane, points, surface};

fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance * expected.abs().max(1.0), "{got} is not {expected}");
}

#[test]
fn an_affine_map_has_one_metric() {
    let affine = surface("linear:a=2,0/1,1/0,3");
    let z = array![[0.3, -2.0], [5.0, 1.0]];
    for metric in affine.metric_at(z.view()).unwrap().outer_iter() {
        assert_eq!(metric, array![[5.0, 1.0], [1.0, 10.0]]);
    }
    let factor = &affine.factors(z.view()).unwrap()[0];
    close(factor.singular_values[0], 3.192_582_404, 1e-9);
    close(factor.singular_values[1], 2.192_582_404, 1e-9);
    close(factor.condition(), 1.456_083_200, 1e-9);
    close(factor.log_volume(), 0.5 * 49.0_f64.ln(), 1e-14);
    assert!(affine.acceleration(z.view(), z.view()).unwrap().values.iter().all(|x| x.abs() < 1e-15));
}

#[test]
fn volumes_and_conditions_of_curved_surfaces() {
    let z = points(6, [-0.9, -0.9], [0.9, 0.9]);
    let at = |name: &str| surface(name).factors(z.view()).unwrap();
    for (z, f) in z.outer_iter().zip(at("complex-exponential")) {
        close(f.log_volume(), 2.0 * z[0], 1e-14);
        close(f.condition(), 1.0, 1e-14);
    }
    for (z, f) in z.outer_iter().zip(at("sphere")) {
        close(f.condition(), 1.0 / z[0].cos(), 1e-14);
    }
    for (z, f) in z.outer_iter().zip(at("paraboloid:a=1.5")) {
        close(2.0 * f.log_volume(), (1.0 + 2.25 * z.dot(&z)).ln(), 1e-14);
    }
    let bumps = surface("two-bumps");
    close(bumps.embedding().unwrap().decode(array![[0.6, 0.1]].view(), None).unwrap()[[0, 2]], 2.311_392_044, 1e-9);
    close(2.0 * bumps.log_volume(array![[0.6, 0.1]].view()).unwrap()[0], 9.974_058_057_f64.ln(), 1e-10);
    let half = half_plane();
    let metric = half.metric_at(array![[3.0, 2.0]].view()).unwrap();
    assert_eq!(metric.index_axis(Axis(0), 0), array![[0.25, 0.0], [0.0, 0.25]]);
}

/// The equation of geodesics by its closed forms.
#[test]
fn accelerations_match_their_formulas() {
    let (z, v) = (points(7, [-0.9, 0.4], [0.9, 1.2]), points(7, [-1.0, -1.0], [1.0, 1.0]));
    let check = |manifold: &dyn Manifold, formula: &dyn Fn([f64; 2], [f64; 2]) -> [f64; 2]| {
        let got = manifold.acceleration(z.view(), v.view()).unwrap().values;
        for ((z, v), got) in z.outer_iter().zip(v.outer_iter()).zip(got.outer_iter()) {
            let expected = formula([z[0], z[1]], [v[0], v[1]]);
            (0..2).for_each(|i| close(got[i], expected[i], 1e-13));
        }
    };
    check(&surface("complex-exponential"), &|_, v| [v[1] * v[1] - v[0] * v[0], -2.0 * v[0] * v[1]]);
    check(&surface("cylinder"), &|_, _| [0.0, 0.0]);
    check(&surface("sphere"), &|z, v| [-z[0].sin() * z[0].cos() * v[1] * v[1], 2.0 * z[0].tan() * v[0] * v[1]]);
    check(&surface("paraboloid:a=1.5"), &|z, v| {
        let scale = -2.25 * (v[0] * v[0] + v[1] * v[1]) / (1.0 + 2.25 * (z[0] * z[0] + z[1] * z[1]));
        [scale * z[0], scale * z[1]]
    });
    check(&half_plane(), &|z, v| [2.0 * v[0] * v[1] / z[1], (v[1] * v[1] - v[0] * v[0]) / z[1]]);
}

/// c̈ᵏ = −Γᵏᵢⱼ ċⁱ ċʲ with the symbols from differences of the metric: the same for every manifold, and for a decoder.
#[test]
fn accelerations_match_the_christoffel_form() {
    let vae = digits();
    let mut table = all();
    for embedding in [Embedding::Gaussian, Embedding::GaussianFisher] {
        if vae.heads().logvar.or(vae.heads().std).is_some() {
            table.push((embedding.manifold(&vae).unwrap(), points(5, [-1.0, -1.0], [1.0, 1.0])));
        }
    }
    for (manifold, z) in table {
        let v = points(z.nrows(), [-1.0, -0.5], [0.5, 1.0]);
        let got = manifold.acceleration(z.view(), v.view()).unwrap().values;
        let expected = christoffel(&*manifold, &z, &v);
        let scale = expected.fold(1.0, |m: f64, x| m.max(x.abs()));
        let worst = (&got - &expected).fold(0.0, |m: f64, x| m.max(x.abs())) / scale;
        assert!(worst < 1e-7, "{}: {worst} of {scale}", manifold.name());
    }
}

/// M c̈ = ½ ∇(vᵀMv) − (dM/dt) v by differences of fourth order.
fn christoffel(manifold: &dyn Manifold, z: &Array2<f64>, v: &Array2<f64>) -> Array2<f64> {
    let (n, d) = z.dim();
    let step = 1e-3;
    let metric = manifold.metric_at(z.view()).unwrap();
    let derivative = |direction: &Array2<f64>| -> Array3<f64> {
        let at = |t: f64| manifold.metric_at((z + &(direction * (t * step))).view()).unwrap();
        ((at(1.0) - at(-1.0)) * 8.0 - (at(2.0) - at(-2.0))) / (12.0 * step)
    };
    let along = derivative(v);
    let mut force = Array2::zeros((n, d));
    for i in 0..d {
        let unit = Array2::from_shape_fn((n, d), |(_, j)| f64::from(u8::from(i == j)));
        for (s, slope) in derivative(&unit).outer_iter().enumerate() {
            force[[s, i]] = 0.5 * v.row(s).dot(&slope.dot(&v.row(s))) - along.index_axis(Axis(0), s).row(i).dot(&v.row(s));
        }
    }
    for (mut force, metric) in force.outer_iter_mut().zip(metric.outer_iter()) {
        let det = metric[[0, 0]] * metric[[1, 1]] - metric[[0, 1]] * metric[[1, 0]];
        let (a, b) = (force[0], force[1]);
        force[0] = (metric[[1, 1]] * a - metric[[0, 1]] * b) / det;
        force[1] = (metric[[0, 0]] * b - metric[[1, 0]] * a) / det;
    }
    force
}

#[test]
fn straight_lines_have_their_lengths() {
    let line = |manifold: &dyn Manifold, a: [f64; 2], b: [f64; 2]| {
        let (a, b) = (array![[a[0], a[1]]], array![[b[0], b[1]]]);
        Curves::straight(a.view(), b.view(), 32).unwrap().measure(manifold).unwrap()[0]
    };
    let disguise = line(&surface("complex-exponential"), [0.0, 0.0], [0.5, 2.0]);
    close(disguise.length, 2.674_746_321, 1e-9);
    close(disguise.energy / disguise.length.powi(2) - 1.0, 0.020_747_041, 1e-9);
    assert!(disguise.length_error < 1e-9, "{disguise:?}");
    let quarter = std::f64::consts::FRAC_PI_4;
    close(line(&surface("sphere"), [quarter, 0.0], [quarter, 2.0 * quarter]).length, 2.221_441_469, 1e-9);
    close(line(&half_plane(), [-1.0, 1.0], [1.0, 1.0]).length, 2.0, 1e-14);
    close(line(&surface("cylinder"), [0.0, 0.0], [std::f64::consts::TAU, 0.0]).length, 4.0 * std::f64::consts::PI, 1e-14);
    assert_eq!(line(&surface("sphere"), [0.3, 0.1], [0.3, 0.1]).length, 0.0);
}
