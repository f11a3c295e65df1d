//! Distances of output families whose Fisher–Rao geometry is known, and of the sphere in its other chart.

use std::sync::Arc;

use latlas::geometry::{Embedding, Geodesic, GeodesicOptions, Manifold, Status, geodesics};
use latlas::models::{OnnxDecoder, onnx::Options};
use latlas::settings::Dtype;
use latlas_graph::ops::Binary;
use latlas_graph::{Builder, NodeId, Port, Rows, Tensor};
use ndarray::{Array2, array};

use crate::spaces::{points, surface};

/// A decoder whose heads are written out of d latents.
fn heads(d: usize, write: impl FnOnce(&mut Builder, NodeId) -> Vec<(&'static str, NodeId)>) -> OnnxDecoder {
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &[d], &[d]);
    let ports = write(&mut b, z).into_iter().map(|(name, node)| {
        let shape = b.shape(node).to_vec();
        Port { name: name.into(), node, shape, default: None }
    });
    let ports = ports.collect();
    OnnxDecoder::from_graph("family", b.finish(ports), &Options::with_dtype(Dtype::F64)).unwrap()
}

fn one(manifold: &Arc<dyn Manifold>, a: &Array2<f64>, b: &Array2<f64>) -> Geodesic {
    geodesics(&**manifold, a.view(), b.view(), &GeodesicOptions::default()).unwrap().swap_remove(0)
}

fn is(found: &Geodesic, length: f64, what: &str) {
    assert_eq!(found.status, Status::Converged, "{what}: {found:?}");
    assert!((found.length - length).abs() < 1e-9, "{what}: {} and not {length}", found.length);
    assert!(found.lower <= length + 1e-9 && length <= found.upper + 1e-9, "{what}: [{}, {}]", found.lower, found.upper);
}

fn entry(b: &mut Builder, z: NodeId, at: f64) -> NodeId {
    let place = b.constant(Tensor::new([1], [at]));
    b.take(z, place)
}

#[test]
fn families_of_one_number() {
    let bernoulli = Embedding::Bernoulli.manifold(&heads(1, |_, z| vec![("p", z)])).unwrap();
    is(&one(&bernoulli, &array![[0.1]], &array![[0.9]]), 1.854_590_436, "Bernoulli");
    let poisson = Embedding::Poisson.manifold(&heads(1, |_, z| vec![("r", z)])).unwrap();
    is(&one(&poisson, &array![[4.0]], &array![[9.0]]), 2.0, "Poisson");
}

/// Probabilities lie on a sphere of radius 2 as 2 √p.
#[test]
fn categories() {
    let decoder = heads(2, |b, z| {
        let (first, second, all) = (entry(b, z, 0.0), entry(b, z, 1.0), b.filled(&[1], 1.0));
        let rest = b.binary(Binary::Sub, all, first);
        let rest = b.binary(Binary::Sub, rest, second);
        vec![("p", b.concat(&[first, second, rest], 0))]
    });
    let categorical = Embedding::Categorical.manifold(&decoder).unwrap();
    is(&one(&categorical, &array![[0.5, 0.3]], &array![[0.2, 0.3]]), 0.739_290_710, "categorical");
}

/// The half-plane of mean and spread; a second output that does not move adds nothing.
#[test]
fn normal_distributions() {
    let decoder = heads(2, |b, z| {
        let (mean, spread) = (entry(b, z, 0.0), entry(b, z, 1.0));
        let (zero, unit) = (b.filled(&[1], 0.0), b.filled(&[1], 1.0));
        vec![("mean", b.concat(&[mean, zero], 0)), ("std", b.concat(&[spread, unit], 0))]
    });
    let fisher = Embedding::GaussianFisher.manifold(&decoder).unwrap();
    is(&one(&fisher, &array![[0.0, 1.0]], &array![[1.0, 2.0]]), 1.189_380_931, "normal");
}

/// Every distance of a sphere follows from its chord.
#[test]
fn the_stereographic_sphere() {
    let sphere = surface("stereographic:r=2");
    let (a, b) = (points(6, [-1.0, -1.0], [1.0, 1.0]), points(6, [-0.7, -1.2], [1.2, 0.6]));
    for found in geodesics(&sphere, a.view(), b.view(), &GeodesicOptions::default()).unwrap() {
        is(&found, 4.0 * (found.lower / 4.0).asin(), "stereographic");
    }
}
