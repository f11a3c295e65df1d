//! Flat pieces of a latent space: the same geometry seen in fewer coordinates.

use latlas::geometry::{Manifold, SectionManifold, gaussian_curvature};
use latlas::models::Decoder;
use latlas::models::section::{AffineSubspace, Section};
use ndarray::{Axis, array};

use crate::spaces::{all, half_plane, points, surface};

/// A plane in two latents is all of them, turned and moved: volume, curvature and acceleration are the same there.
#[test]
fn turned_coordinates_change_nothing() {
    for (manifold, z) in all() {
        let turned = AffineSubspace::through(array![[0.3, 0.9], [0.6, 1.3], [0.1, 1.4]].view()).unwrap();
        let section = SectionManifold::new(&*manifold, &turned);
        let (s, v) = (turned.coordinates(z.view()), points(z.nrows(), [-1.0, -1.0], [1.0, 1.0]));
        let name = manifold.name();
        let near = |a: &[f64], b: &[f64], tolerance: f64| {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0)), "{name}: {a:?} is not {b:?}");
        };
        near(&section.log_volume(s.view()).unwrap(), &manifold.log_volume(z.view()).unwrap(), 1e-12);
        let pushed = v.dot(&turned.basis);
        let turning = section.acceleration(s.view(), v.view()).unwrap().values.dot(&turned.basis);
        let expected = manifold.acceleration(z.view(), pushed.view()).unwrap().values;
        near(turning.as_slice().unwrap(), expected.as_standard_layout().as_slice().unwrap(), 1e-10);
        near(&section.speed(s.view(), v.view()).unwrap(), &manifold.speed(z.view(), pushed.view()).unwrap(), 1e-12);
        if manifold.embedding().is_some() {
            near(&gaussian_curvature(&section, s.view()).unwrap(), &gaussian_curvature(&*manifold, z.view()).unwrap(), 1e-9);
        }
    }
}

/// Up the half-plane: M = 1/y², ÿ = ẏ²/y. Forms have a torsion that a piece of them keeps.
#[test]
fn a_line_of_the_half_plane() {
    let half_plane = half_plane();
    let up = AffineSubspace::through(array![[0.5, 1.0], [0.5, 3.0]].view()).unwrap();
    let line = SectionManifold::new(&half_plane, &up);
    let (s, v) = (array![[0.0], [1.5]], array![[2.0], [-1.0]]);
    let metric = line.metric_at(s.view()).unwrap();
    assert!((metric[[0, 0, 0]] - 1.0).abs() < 1e-15 && (metric[[1, 0, 0]] - 0.16).abs() < 1e-15, "{metric}");
    let bent = line.acceleration(s.view(), v.view()).unwrap().values;
    assert!((&bent - &array![[4.0], [0.4]]).iter().all(|e| e.abs() < 1e-13), "{bent}");
}

/// Inversion takes a plane at distance h from its centre to a sphere of radius 1/(2h), whose curvature is 4h² everywhere.
#[test]
fn inversion_bends_planes_to_spheres() {
    let inversion = surface("inversion:d=5");
    let three = array![[0.4, 0.3, -0.2, 0.9, 0.1], [1.0, -0.5, 0.3, 0.2, 0.6], [-0.3, 0.8, 0.7, 0.4, -0.5]];
    let plane = AffineSubspace::through(three.view()).unwrap();
    let foot = &plane.origin - &plane.basis.t().dot(&plane.basis.dot(&plane.origin));
    let curvatures = gaussian_curvature(&SectionManifold::new(&inversion, &plane), points(20, [-1.0, -1.0], [2.0, 2.0]).view()).unwrap();
    let expected = 4.0 * foot.dot(&foot);
    assert!(curvatures.iter().all(|k| (k - expected).abs() < 1e-9 * expected), "{curvatures:?} {expected}");
}

/// Every derivative of a section is the whole one by the chain rule.
#[test]
fn derivatives_follow_the_chain_rule() {
    let whole = surface("inversion:d=4:shift=3");
    let whole = whole.embedding().unwrap();
    let plane = AffineSubspace::through(array![[0.4, 0.3, -0.2, 0.9], [1.0, -0.5, 0.3, 0.2], [-0.3, 0.8, 0.7, 0.4]].view()).unwrap();
    let section = Section::new(whole, &plane);
    let s = points(5, [-1.0, -1.0], [1.0, 1.0]);
    let (at, there) = (section.linearize(s.view(), None).unwrap(), whole.linearize(plane.points(s.view()).view(), None).unwrap());
    assert_eq!(at.decoded().unwrap(), there.decoded().unwrap());
    let columns = there.columns().unwrap();
    let weights = points(5, [-1.0, 0.0], [1.0, 1.0]).dot(&array![[1.0, 0.0, 2.0, -1.0], [0.5, 1.0, 0.0, 1.0]]);
    let hessian = there.hessian(weights.view()).unwrap();
    for k in 0..5 {
        let (own, expected) = (at.columns().unwrap(), plane.basis.dot(&columns.index_axis(Axis(0), k)));
        assert!((&own.index_axis(Axis(0), k) - &expected).iter().all(|e| e.abs() < 1e-13));
        let (own, expected) = (at.hessian(weights.view()).unwrap(), plane.basis.dot(&hessian.index_axis(Axis(0), k)).dot(&plane.basis.t()));
        assert!((&own.index_axis(Axis(0), k) - &expected).iter().all(|e| e.abs() < 1e-12));
        let cotangents = weights.view().insert_axis(Axis(1));
        let (own, expected) = (at.vjp(cotangents).unwrap(), at.columns().unwrap().index_axis(Axis(0), k).dot(&weights.row(k)));
        assert!((&own.index_axis(Axis(0), k).row(0) - &expected).iter().all(|e| e.abs() < 1e-13));
    }
}
