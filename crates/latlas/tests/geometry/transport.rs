//! Parallel transport against closed forms.

use latlas::geometry::{Curves, ExpOptions, exp_along, transport};
use ndarray::{Array2, Array3, Axis, array};

use crate::spaces::{all, half_plane, points, surface};

/// Along a parallel of latitude b a vector turns by the angle l sin b against the east.
#[test]
fn on_a_sphere_vectors_turn_with_the_latitude() {
    let (latitude, longitude) = (0.7_f64, 1.5_f64);
    let error = |segments: usize| {
        let curve = Curves::straight(array![[latitude, 0.0]].view(), array![[latitude, longitude]].view(), segments).unwrap();
        let carried = transport(&surface("sphere"), &curve, array![[1.0, 0.0]].view()).unwrap();
        // In the orthonormal frame (north, east/cos b).
        let angle = longitude * latitude.sin();
        let expected = [angle.cos(), angle.sin() / latitude.cos()];
        (0..2).map(|i| (carried.vectors[[0, i]] - expected[i]).abs()).fold(0.0, f64::max)
    };
    let (coarse, fine) = (error(8), error(16));
    assert!(fine < 1e-6, "{fine}");
    assert!((12.0..22.0).contains(&(coarse / fine)), "order 4: {coarse} {fine}");
}

/// On the half-plane along a horocycle y = 1 from x = 0 to t: a rotation by t.
#[test]
fn forms_carry_vectors_too() {
    let curve = Curves::straight(array![[0.0, 1.0]].view(), array![[0.8, 1.0]].view(), 32).unwrap();
    let carried = transport(&half_plane(), &curve, array![[1.0, 0.0]].view()).unwrap();
    let (x, y) = (carried.vectors[[0, 0]], carried.vectors[[0, 1]]);
    assert!((x - 0.8_f64.cos()).abs() < 1e-7 && (y.abs() - 0.8_f64.sin()).abs() < 1e-7, "{x} {y}");
}

/// A geodesic carries its own velocity, lengths and angles stay.
#[test]
fn geodesics_carry_their_velocity() {
    for (manifold, z) in all() {
        let v = points(z.nrows(), [-0.4, -0.3], [0.3, 0.4]);
        let (shots, [nodes, velocities]) = exp_along(&*manifold, z.view(), v.view(), &ExpOptions::default(), 32).unwrap();
        let curves = Curves::new(nodes, velocities).unwrap();
        let carried = transport(&*manifold, &curves, v.view()).unwrap();
        for (shot, w) in shots.iter().zip(carried.vectors.outer_iter()) {
            assert!((&shot.velocity - &w).iter().all(|e| e.abs() < 1e-6), "{}: {} {w}", manifold.name(), shot.velocity);
        }
        let other = points(z.nrows(), [-1.0, 0.2], [1.0, 1.0]);
        let moved = transport(&*manifold, &curves, other.view()).unwrap();
        let end = curves.nodes.index_axis(Axis(1), 32).to_owned();
        let before = manifold.inner(z.view(), v.view(), other.view()).unwrap();
        let after = manifold.inner(end.view(), carried.vectors.view(), moved.vectors.view()).unwrap();
        assert!(before.iter().zip(after).all(|(a, b)| (a - b).abs() < 1e-6 * (1.0 + a.abs())), "{}", manifold.name());
        assert!(moved.drift.iter().all(|drift| *drift < 1e-6));
    }
    let still = Curves::new(Array3::zeros((1, 3, 2)), Array3::zeros((1, 3, 2))).unwrap();
    let kept = transport(&surface("paraboloid"), &still, array![[0.3, -0.2]].view()).unwrap();
    assert!((kept.vectors - array![[0.3, -0.2]]).iter().all(|e| e.abs() < 1e-15));
    assert!(transport(&surface("sphere"), &still, Array2::zeros((2, 2)).view()).is_err());
}
