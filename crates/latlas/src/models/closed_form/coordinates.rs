//! Coordinates of a point as values of a graph.

use latlas_graph::ops::{Binary, IndexMap};
use latlas_graph::{Builder, NodeId};

/// The first K coordinates of z, each of shape `[1]`.
pub(super) fn coordinates<const K: usize>(b: &mut Builder, z: NodeId) -> [NodeId; K] {
    std::array::from_fn(|i| b.map(z, IndexMap::strided(&[1], i, &[1])))
}

/// |z − centre|², of shape `[1]`.
pub(super) fn squared_distance(b: &mut Builder, z: NodeId, centre: &[f64]) -> NodeId {
    let centre = b.constant(latlas_graph::Tensor::new([centre.len()], centre.to_vec()));
    let from = b.binary(Binary::Sub, z, centre);
    let square = b.binary(Binary::Mul, from, from);
    b.sum(square, &[0])
}
