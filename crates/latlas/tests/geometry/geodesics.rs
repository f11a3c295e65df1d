//! Connecting geodesics against closed forms, the contracts of every manifold, and what a search says when there is none.

use std::sync::Arc;

use latlas::geometry::{Confirmation, ExpOptions, Geodesic, GeodesicOptions, Manifold, PullbackManifold, Reason, Status, exp, geodesics};
use latlas::models::{OnnxDecoder, onnx::Options};
use latlas::settings::Dtype;
use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, NodeId, Port, Rows, lower};
use ndarray::{Array2, array};

use crate::spaces::{all, half_plane, points, surface};

fn between(manifold: &dyn Manifold, a: [f64; 2], b: [f64; 2]) -> Geodesic {
    let (a, b) = (array![[a[0], a[1]]], array![[b[0], b[1]]]);
    geodesics(manifold, a.view(), b.view(), &GeodesicOptions::default()).unwrap().swap_remove(0)
}

/// Lengths to the digits that are known, each with its bracket, its constant speed and E = L².
fn converged(found: &Geodesic, length: f64, digits: f64, what: &str) {
    assert_eq!(found.status, Status::Converged, "{what}: {found:?}");
    assert!((found.length - length).abs() <= digits, "{what}: {} and not {length}", found.length);
    assert!(found.lower <= length + digits && length <= found.upper + digits, "{what}: [{}, {}]", found.lower, found.upper);
    assert!(found.upper <= length * (1.0 + 1e-5) + digits, "{what}: {} far above {length}", found.upper);
    assert!(found.residual <= 1e-9 && found.energy_excess < 1e-6 && found.index == 0, "{what}: {found:?}");
    assert!(found.speed_variation < 1e-2, "{what}: {}", found.speed_variation);
}

#[test]
fn known_lengths_are_found() {
    let pi = std::f64::consts::PI;
    let cases: [(Box<dyn Manifold>, [f64; 2], [f64; 2], f64); 7] = [
        (Box::new(surface("linear:a=2,0/1,1/0,3")), [0.0, 0.0], [1.0, 1.0], 17.0_f64.sqrt()),
        (Box::new(surface("complex-exponential")), [0.0, 0.0], [0.5, 2.0], 2.256_214_110),
        (Box::new(surface("cylinder")), [0.0, 0.0], [2.0 * pi, 0.0], 4.0 * pi),
        (Box::new(surface("sphere")), [pi / 4.0, 0.0], [pi / 4.0, pi / 2.0], 2.0 * pi / 3.0),
        (Box::new(surface("paraboloid:a=1.5")), [-0.8, 0.3], [1.0, 0.6], 2.164_667_061),
        (Box::new(surface("paraboloid:a=1.5")), [-1.0, 0.0], [1.0, 0.0], 2.599_284_449),
        (Box::new(half_plane()), [-1.0, 1.0], [1.0, 1.0], 3.0_f64.acosh()),
    ];
    for (manifold, a, b, length) in &cases {
        converged(&between(&**manifold, *a, *b), *length, 1.5e-9, manifold.name());
    }
}

/// Two levels that agree tell a length to what was asked for, and by how much it may be off; a form has no energy of sixth order and is shot.
#[test]
fn levels_that_agree_confirm_a_curve() {
    let pi = std::f64::consts::PI;
    let cases: [(Box<dyn Manifold>, [f64; 2], [f64; 2], f64, bool); 5] = [
        (Box::new(surface("complex-exponential")), [0.0, 0.0], [0.5, 2.0], 2.256_214_110, true),
        (Box::new(surface("sphere")), [pi / 4.0, 0.0], [pi / 4.0, pi / 2.0], 2.0 * pi / 3.0, true),
        (Box::new(surface("paraboloid:a=1.5")), [-0.8, 0.3], [1.0, 0.6], 2.164_667_061, true),
        (Box::new(surface("two-bumps")), [-2.1, -0.2], [2.1, 0.3], 5.777_327_48, true),
        (Box::new(half_plane()), [-1.0, 1.0], [1.0, 1.0], 3.0_f64.acosh(), false),
    ];
    for share in [1e-4, 1e-6] {
        let options = GeodesicOptions { confirmation: Confirmation::Agreement(share), ..GeodesicOptions::default() };
        for (manifold, a, b, length, agreed) in &cases {
            let (a, b) = (array![[a[0], a[1]]], array![[b[0], b[1]]]);
            let found = geodesics(&**manifold, a.view(), b.view(), &options).unwrap().swap_remove(0);
            let what = format!("{} to {share}: {found:?}", manifold.name());
            assert_eq!((found.status, found.index), (Status::Converged, 0), "{what}");
            let off = (found.length - length).abs();
            assert!(off <= share * length && off <= found.length_error + 1e-8, "{what}");
            assert!(found.lower <= *length + 1e-8 && *length <= found.upper + 1e-8 && found.energy_excess < share, "{what}");
            assert_eq!(found.residual.is_nan(), *agreed, "{what}");
            let speed = manifold.speed(a.view(), found.velocity.view().insert_axis(ndarray::Axis(0))).unwrap()[0];
            assert!((speed / length - 1.0).abs() < 10.0 * share.sqrt(), "the speed at the start: {speed} and {what}");
        }
    }
}

/// Over the top of a steep paraboloid is a saddle; the two shortest pass at its sides.
#[test]
fn saddles_are_left() {
    for (a, over, around) in [(2.0, 2.957_885_715, 2.829_043_600), (3.0, 3.768_426_480, 3.000_166_207)] {
        let found = between(&surface(&format!("paraboloid:a={a}")), [-1.0, 0.0], [1.0, 0.0]);
        converged(&found, around, 1.5e-9, "around");
        let saddle = found.competing.iter().find(|other| other.index > 0).unwrap();
        assert!((saddle.length - over).abs() < 1e-6 && saddle.index == 1, "{saddle:?}");
        assert!(found.competing.iter().any(|other| other.index == 0 && (other.length - around).abs() < 1e-6), "the other side");
    }
}

#[test]
fn all_shortest_paths_of_two_bumps_are_found() {
    let table = [
        ([-2.1, -0.2], [2.1, 0.3], 5.777_327_48),
        ([-1.9, 0.4], [2.0, -0.1], 5.511_580_22),
        ([-2.0, -1.0], [2.0, 1.2], 5.812_351_64),
        ([-1.5, 1.4], [1.6, -1.2], 5.571_350_18),
        ([-1.2, -1.6], [1.4, 1.7], 5.306_926_85),
        ([-2.2, 0.9], [0.3, -1.8], 4.052_565_01),
        ([-0.8, 1.9], [1.9, 0.8], 3.199_855_88),
        ([-1.8, -1.1], [1.0, -1.7], 3.065_310_62),
    ];
    let of = |end: fn(&([f64; 2], [f64; 2], f64)) -> [f64; 2]| Array2::from_shape_fn((8, 2), |(i, j)| end(&table[i])[j]);
    let bumps = surface("two-bumps");
    let found = geodesics(&bumps, of(|row| row.0).view(), of(|row| row.1).view(), &GeodesicOptions::default()).unwrap();
    for (i, (found, (.., length))) in found.iter().zip(&table).enumerate() {
        converged(found, *length, 1e-8, &format!("pair {}", i + 1));
        assert!(found.competing.iter().all(|other| other.length > length - 1e-6));
    }
    // Not refined further, since the shortest was confirmed.
    assert!((found[0].competing[0].length - 5.812_756_53).abs() < 1e-4, "{:?}", found[0].competing[0].length);
}

/// Exp after Log is the identity, distances are symmetric, and the triangle inequality holds.
#[test]
fn contracts_of_every_manifold() {
    for (manifold, z) in all() {
        let name = manifold.name().to_string();
        let m = 3;
        let index: Vec<(usize, usize)> = (0..m).flat_map(|i| (0..m).map(move |j| (i, j))).collect();
        let side = |of: fn(&(usize, usize)) -> usize| Array2::from_shape_fn((m * m, 2), |(row, k)| z[[of(&index[row]), k]]);
        let (a, b) = (side(|pair| pair.0), side(|pair| pair.1));
        let found = geodesics(&*manifold, a.view(), b.view(), &GeodesicOptions::default()).unwrap();
        let length = |i: usize, j: usize| found[i * m + j].length;
        for (row, found) in found.iter().enumerate() {
            assert_eq!(found.status, Status::Converged, "{name} {:?}: {found:?}", index[row]);
            // Shooting ends within 1e-10 of b, so the length is as exact as that.
            assert!(found.lower <= found.length + 1e-9 && found.length <= found.upper + 1e-9, "{name}");
        }
        for (i, j) in &index {
            assert!((length(*i, *j) - length(*j, *i)).abs() < 1e-8, "{name}");
            for k in 0..m {
                assert!(length(*i, *j) <= length(*i, k) + length(k, *j) + 1e-8, "{name}");
            }
        }
        let velocities = Array2::from_shape_fn(a.dim(), |(i, j)| found[i].velocity[j]);
        let shots = exp(&*manifold, a.view(), velocities.view(), &ExpOptions::default()).unwrap();
        for (shot, b) in shots.iter().zip(b.outer_iter()) {
            assert!((&shot.end - &b).iter().all(|x| x.abs() < 1e-7), "{name}: {shot:?}");
        }
        // Log after Exp, for short vectors.
        let v = points(z.nrows(), [-0.2, -0.1], [0.1, 0.2]);
        let shots = exp(&*manifold, z.view(), v.view(), &ExpOptions { tolerance: 1e-11, ..ExpOptions::default() }).unwrap();
        let ends = Array2::from_shape_fn(z.dim(), |(i, j)| shots[i].end[j]);
        for (found, v) in geodesics(&*manifold, z.view(), ends.view(), &GeodesicOptions::default()).unwrap().iter().zip(v.outer_iter()) {
            assert!((&found.velocity - &v).iter().all(|x| x.abs() < 1e-8), "{name}: {} {v}", found.velocity);
        }
    }
}

/// A decoder that is written for a test.
fn written(d: usize, write: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> PullbackManifold {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
    let node = write(&mut b, z);
    let shape = b.shape(node).to_vec();
    let graph = b.finish(vec![Port { name: "x".into(), node, shape, default: None }]);
    PullbackManifold::new("written", Arc::new(OnnxDecoder::from_graph("written", graph, &Options::with_dtype(Dtype::F64)).unwrap()))
        .unwrap()
}

#[test]
fn trouble_has_a_name() {
    let bumps = surface("two-bumps");
    // One point.
    let still = between(&bumps, [0.3, 0.1], [0.3, 0.1]);
    assert_eq!((still.status, still.length, still.lower, still.upper), (Status::Converged, 0.0, 0.0, 0.0));
    // Far outside: flat there, and whatever is found has a bracket.
    let far = between(&bumps, [-40.0, 30.0], [50.0, -20.0]);
    assert!(far.lower <= far.length * (1.0 + 1e-12) && far.length <= far.upper * (1.0 + 1e-9) && far.length < 103.2, "{far:?}");
    // Not a number.
    let nowhere = between(&bumps, [f64::NAN, 0.0], [0.0, 0.0]);
    assert_eq!(nowhere.status, Status::Failed(Reason::NonFinite));
    assert!(nowhere.length.is_nan());
    // √z has no values below zero: every curve to there is refused.
    let root = written(2, |b, z| b.unary(Unary::Sqrt, z));
    assert_eq!(between(&root, [1.0, 1.0], [1.0, -1.0]).status, Status::Failed(Reason::NonFinite));
    converged(&between(&root, [1.0, 1.0], [4.0, 1.0]), 1.0, 1e-9, "root");
    // A latent that moves nothing.
    let flat = surface("linear:a=1,0,0/0,1,0/1,1,0");
    let (a, b) = (array![[0.0, 0.0, 0.0]], array![[1.0, 0.0, 2.0]]);
    let lost = geodesics(&flat, a.view(), b.view(), &GeodesicOptions::default()).unwrap().swap_remove(0);
    assert_eq!(lost.status, Status::EnergyOnly(Reason::RankLoss), "{lost:?}");
    assert!((lost.length - 2.0_f64.sqrt()).abs() < 1e-9);
    // One latent.
    let line = written(1, |b, z| {
        let (sin, cos) = (b.unary(Unary::Sin, z), b.unary(Unary::Cos, z));
        b.concat(&[sin, cos, z], 0)
    });
    let (a, b) = (array![[0.0]], array![[3.0]]);
    let one = geodesics(&line, a.view(), b.view(), &GeodesicOptions::default()).unwrap().swap_remove(0);
    converged(&one, 3.0 * 2.0_f64.sqrt(), 1e-9, "helix");
    // A limit of steps, of the descent and of what would confirm it.
    let mut few = GeodesicOptions { arcs: Vec::new(), levels: vec![16], ..GeodesicOptions::default() };
    (few.energy.max_steps, few.exp.max_steps) = (1, 1);
    let (a, b) = (array![[-2.1, -0.2]], array![[2.1, 0.3]]);
    let stopped = geodesics(&bumps, a.view(), b.view(), &few).unwrap().swap_remove(0);
    assert!(!stopped.status.is_converged(), "{stopped:?}");
    assert!(geodesics(&bumps, a.view(), array![[0.0]].view(), &few).is_err());
}

/// A roof: the energy alone is trusted, and says so. Its geodesics are straight on the unfolded roof.
#[test]
fn kinks_leave_the_energy() {
    // A file knows of its kinks: 3 max(z, 0) = 1.5 (z + |z|).
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[2], &[2]);
    let size = b.unary(Unary::Abs, z);
    let height = b.binary(Binary::Add, z, size);
    let steep = lower::times(&mut b, height, 1.5);
    let node = b.concat(&[z, steep], 0);
    let graph = b.finish(vec![Port { name: "x".into(), node, shape: vec![4], default: None }]);
    let file = latlas_graph::onnx::save(&graph).unwrap();
    let decoder = OnnxDecoder::from_bytes("roof", &file, &Options::with_dtype(Dtype::F64)).unwrap();
    let roof = PullbackManifold::new("roof", Arc::new(decoder)).unwrap();
    let found = between(&roof, [-1.0, -1.0], [1.0, -0.5]);
    assert_eq!(found.status, Status::EnergyOnly(Reason::NonSmooth));
    // Unfolded, the right half is √10 wide: |(1 + √10, 0.5)|.
    let length = ((1.0 + 10.0_f64.sqrt()).powi(2) + 0.25).sqrt();
    let straight = f64::hypot(1.0, 0.25) + f64::hypot(10.0_f64.sqrt(), 0.25);
    // Nodes do not slide over a kink, so the energy comes close to the shortest way and not onto it.
    assert!((found.length - length).abs() < 0.45 * (straight - length), "{} {length} {straight}", found.length);
    assert!(found.upper >= length - 1e-6 && found.lower <= length);
}
