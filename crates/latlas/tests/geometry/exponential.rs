//! The exponential map against closed forms, its invariants, and what it says when there is none.

use latlas::geometry::{ExpOptions, Manifold, Reason, Status, exp, exp_along};
use ndarray::{Array2, Axis, array};

use crate::spaces::{all, digits, half_plane, points, surface};

fn shoot(manifold: &dyn Manifold, z: [f64; 2], v: [f64; 2], tolerance: f64) -> latlas::geometry::Shot {
    let options = ExpOptions { tolerance, ..ExpOptions::default() };
    exp(manifold, array![[z[0], z[1]]].view(), array![[v[0], v[1]]].view(), &options).unwrap().swap_remove(0)
}

#[test]
fn known_end_points_are_met_at_every_tolerance() {
    let log = |re: f64, im: f64| [0.5 * (re * re + im * im).ln(), im.atan2(re)];
    let cases: [(Box<dyn Manifold>, [f64; 2], [f64; 2], [f64; 2]); 7] = [
        (Box::new(surface("linear:a=2,0/1,1/0,3")), [0.3, -1.0], [2.0, 0.5], [2.3, -0.5]),
        (Box::new(surface("complex-exponential")), [0.0, 0.0], [0.5, 1.0], log(1.5, 1.0)),
        (Box::new(surface("cylinder")), [0.0, 0.5], [7.0, -2.0], [7.0, -1.5]),
        (Box::new(surface("sphere")), [0.6, 0.3], [0.5, -0.8], [0.846_376_816, -0.789_222_447]),
        (Box::new(surface("paraboloid:a=1.5")), [1.0, 0.0], [0.0, 1.0], [0.691_595_927, 0.900_216_830]),
        (Box::new(half_plane()), [0.2, 1.3], [0.9, 0.4], [1.226_592_304, 1.349_960_252]),
        (Box::new(surface("two-bumps")), [-2.1, -0.2], [2.0, 1.0], [-0.665_785_16, 0.911_666_18]),
    ];
    for (manifold, z, v, expected) in &cases {
        for tolerance in [1e-6, 1e-8, 1e-10] {
            let shot = shoot(&**manifold, *z, *v, tolerance);
            assert_eq!(shot.status, Status::Converged, "{}", manifold.name());
            let worst = (0..2).map(|i| (shot.end[i] - expected[i]).abs()).fold(0.0, f64::max);
            // The table has nine digits.
            assert!(worst < 3.0 * tolerance.max(1e-9) + 4e-9, "{} at {tolerance}: {worst}", manifold.name());
            assert!(shot.drift < 100.0 * tolerance, "{}: {}", manifold.name(), shot.drift);
        }
    }
    let bumps = shoot(&surface("two-bumps"), [-2.1, -0.2], [2.0, 1.0], 1e-8);
    assert!((bumps.length - 2.240_835_484).abs() < 1e-9, "{}", bumps.length);
}

/// Shooting back from the end with the velocity turned round comes home.
#[test]
fn a_geodesic_turned_round_comes_home() {
    let mut table = all();
    table.push((latlas::geometry::Embedding::Auto.manifold(&digits()).unwrap(), points(8, [-1.0, -1.0], [1.0, 1.0])));
    for (manifold, z) in table {
        let v = points(z.nrows(), [-0.3, -0.2], [0.2, 0.3]);
        let options = ExpOptions::default();
        let shots = exp(&*manifold, z.view(), v.view(), &options).unwrap();
        assert!(shots.iter().all(|shot| shot.status.is_converged()), "{}: {shots:?}", manifold.name());
        let gather = |of: &dyn Fn(&latlas::geometry::Shot, usize) -> f64| Array2::from_shape_fn(z.dim(), |(i, j)| of(&shots[i], j));
        let (ends, back) = (gather(&|shot, j| shot.end[j]), gather(&|shot, j| -shot.velocity[j]));
        for (home, z) in exp(&*manifold, ends.view(), back.view(), &options).unwrap().iter().zip(z.outer_iter()) {
            assert!((&home.end - &z).iter().all(|e| e.abs() < 1e-6), "{}: {home:?} {z}", manifold.name());
        }
    }
}

/// A batch gives what its samples give alone, to the bit; the points on the way are those of shorter shots.
#[test]
fn a_batch_is_its_samples() {
    let sphere = surface("sphere");
    let (z, v) = (points(5, [-0.5, -0.5], [0.5, 0.5]), points(5, [-1.0, -0.5], [0.5, 1.0]));
    let together = exp(&sphere, z.view(), v.view(), &ExpOptions::default()).unwrap();
    for (i, shot) in together.iter().enumerate() {
        let alone = shoot(&sphere, [z[[i, 0]], z[[i, 1]]], [v[[i, 0]], v[[i, 1]]], 1e-8);
        assert_eq!((&alone.end, alone.steps), (&shot.end, shot.steps));
    }
    let (shots, [along, velocities]) = exp_along(&sphere, z.view(), v.view(), &ExpOptions::default(), 4).unwrap();
    assert_eq!(along.index_axis(Axis(1), 0), z);
    let half = exp(&sphere, z.view(), (&v * 0.5).view(), &ExpOptions::default()).unwrap();
    for (i, shot) in shots.iter().enumerate() {
        assert!((&shot.end - &together[i].end).iter().all(|e| e.abs() < 1e-7));
        assert!((&along.index_axis(Axis(0), i).row(2) - &half[i].end).iter().all(|e| e.abs() < 1e-7));
        assert!((&velocities.index_axis(Axis(0), i).row(2) - &(&half[i].velocity * 2.0)).iter().all(|e| e.abs() < 1e-7));
        assert!((shot.length / together[i].length - 1.0).abs() < 1e-13);
    }
}

#[test]
fn what_does_not_exist_says_so() {
    // The straight line runs into 0, where z ↦ exp z never comes.
    let ends = shoot(&surface("complex-exponential"), [0.0, 0.0], [-1.0, 0.0], 1e-8);
    assert!(
        matches!(ends.status, Status::Failed(Reason::StepTooSmall | Reason::MaxIter | Reason::NonFinite | Reason::Unresolved)),
        "{ends:?}"
    );
    // A third latent that moves nothing.
    let flat = surface("linear:a=1,0,0/0,1,0/1,1,0");
    let shots = exp(&flat, array![[0.0, 0.0, 0.0]].view(), array![[1.0, 0.0, 1.0]].view(), &ExpOptions::default()).unwrap();
    assert_eq!(shots[0].status, Status::Failed(Reason::RankLoss));
    let boxed = ExpOptions { domain: Some((-1.0, 1.0)), ..ExpOptions::default() };
    let left = exp(&surface("cylinder"), array![[0.0, 0.0]].view(), array![[5.0, 0.0]].view(), &boxed).unwrap();
    assert_eq!(left[0].status, Status::Failed(Reason::LeftDomain));
    let few = ExpOptions { max_steps: 2, ..ExpOptions::default() };
    let slow = exp(&surface("two-bumps"), array![[-2.1, -0.2]].view(), array![[2.0, 1.0]].view(), &few).unwrap();
    assert_eq!(slow[0].status, Status::Failed(Reason::MaxIter));
    let nowhere = exp(&surface("sphere"), array![[f64::NAN, 0.0]].view(), array![[1.0, 1.0]].view(), &ExpOptions::default()).unwrap();
    assert_eq!(nowhere[0].status, Status::Failed(Reason::NonFinite));
    // Standing still is a geodesic of length 0.
    let still = shoot(&surface("sphere"), [0.2, 0.1], [0.0, 0.0], 1e-8);
    assert_eq!((still.status, still.length, still.end), (Status::Converged, 0.0, array![0.2, 0.1]));
    assert!(exp(&surface("sphere"), array![[0.0, 0.0]].view(), array![[1.0]].view(), &ExpOptions::default()).is_err());
}
