//! Distances by graphs: brackets that hold, A* that finds what Dijkstra finds, and components that are joined and counted.

use latlas::geometry::{Embedding, GeodesicOptions, LatentGraph, Weights, geodesics};
use ndarray::{Array2, Axis, array, concatenate};

use crate::spaces::{digits, surface};

/// n points spread evenly over a box, by the additive recurrence of the plastic number (Roberts, 2018).
fn points(n: usize, low: [f64; 2], high: [f64; 2]) -> Array2<f64> {
    let steps = [0.754_877_666_246_692_8, 0.569_840_290_998_053_3];
    Array2::from_shape_fn((n, 2), |(i, j)| low[j] + (high[j] - low[j]) * ((i + 1) as f64 * steps[j]).fract())
}

#[test]
fn brackets_hold_the_truth() {
    let sphere = surface("sphere");
    let z = points(200, [-0.9, -0.9], [0.9, 0.9]);
    let graph = LatentGraph::new(&sphere, z.view(), 15, Weights::Lengths).unwrap();
    let [lower, upper] = graph.bracket();
    let mut excess: Vec<f64> = Vec::new();
    for i in 0..200 {
        for j in 0..200 {
            assert!(lower[[i, j]] <= upper[[i, j]] + 1e-12, "{i} {j}");
            assert_eq!(upper[[i, j]], upper[[j, i]]);
            if i != j {
                // A chord of length l spans the arc 2 R asin(l/2R).
                let arc = 4.0 * (lower[[i, j]] / 4.0).asin();
                assert!(arc <= upper[[i, j]] * (1.0 + 1e-9), "{i} {j}: {arc} {}", upper[[i, j]]);
                excess.push(upper[[i, j]] / arc - 1.0);
            }
        }
    }
    excess.sort_by(f64::total_cmp);
    assert!(excess[excess.len() / 2] < 0.05, "the median graph distance is {} too long", excess[excess.len() / 2]);
}

#[test]
fn a_search_for_one_goal_is_as_short_and_looks_at_less() {
    let bumps = surface("two-bumps");
    let z = points(400, [-2.2, -2.0], [2.2, 2.0]);
    for weights in [Weights::Lengths, Weights::Chords] {
        let graph = LatentGraph::new(&bumps, z.view(), 10, weights).unwrap();
        let all = graph.from(3);
        let mut settled = 0;
        for goal in [0, 50, 199, 399] {
            let path = graph.path(3, goal).unwrap();
            assert!((path.length - all[goal]).abs() < 1e-12 * (1.0 + all[goal]));
            assert_eq!((path.nodes[0], path.nodes[path.nodes.len() - 1]), (3, goal));
            settled += path.settled;
        }
        assert!(settled < 1200, "{settled}");
    }
}

#[test]
fn components_are_joined_and_counted() {
    let flat = surface("linear:a=1,0/0,1/0,0");
    let cluster = points(20, [0.0, 0.0], [1.0, 1.0]);
    let all = concatenate(Axis(0), &[cluster.view(), (&cluster + 10.0).view(), (&cluster - 20.0).view()]).unwrap();
    let graph = LatentGraph::new(&flat, all.view(), 4, Weights::Lengths).unwrap();
    assert_eq!(graph.links(), 2);
    assert!(graph.from(0).iter().all(|length| length.is_finite()));
    // What has no values cannot be walked: no path is an answer.
    let root = LatentGraph::new(&surface("sphere"), array![[0.0, 0.0], [f64::NAN, 0.0]].view(), 3, Weights::Lengths).unwrap();
    assert!(root.path(0, 1).is_none() && root.from(0)[1].is_infinite());
    assert!(LatentGraph::new(&flat, array![[0.0, 0.0]].view(), 3, Weights::Lengths).is_err());
}

/// The distances of a decoder that has learned: geodesics lie in the bracket of the graph.
#[test]
fn geodesics_of_digits_lie_in_the_bracket() {
    let manifold = Embedding::Auto.manifold(&digits()).unwrap();
    let z = points(300, [-1.5, -1.5], [1.5, 1.5]);
    let [lower, upper] = LatentGraph::new(&*manifold, z.view(), 15, Weights::Lengths).unwrap().bracket();
    let (a, b) = (z.slice(ndarray::s![..8, ..]), z.slice(ndarray::s![8..16, ..]));
    let found = geodesics(&*manifold, a, b, &GeodesicOptions::default()).unwrap();
    for (i, found) in found.iter().enumerate() {
        let (low, high) = (lower[[i, 8 + i]], upper[[i, 8 + i]]);
        assert!(found.status.is_converged(), "{found:?}");
        assert!(low <= found.length && found.length <= high * (1.0 + 1e-6), "pair {i}: {low} {} {high}", found.length);
    }
}
