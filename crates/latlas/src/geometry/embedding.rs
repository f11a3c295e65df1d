//! Embeddings: maps F of the latents whose pull-back JᵀJ, J = DF, is the metric that a decoder's outputs call for.
//!
//! Each is the decoder's graph with a transformation of its outputs appended, so nothing after it knows which metric it is.
//! μ, σ, l, p and r are the decoder's mean, standard deviation, logits, probabilities and rates.
//!
//! | name | F(z) | JᵀJ |
//! |---|---|---|
//! | `mean` | μ | JμᵀJμ |
//! | `gaussian` | (μ, σ) | JμᵀJμ + JσᵀJσ, the expected metric of μ + σ·ε (Arvanitidis, Hansen and Hauberg, 2018) |
//! | `bernoulli` | 2 asin √p | Jlᵀ diag(p(1−p)) Jl, the Fisher–Rao metric (Rao, 1945) |
//! | `categorical` | 2 √p | Jlᵀ (diag p − ppᵀ) Jl |
//! | `poisson` | 2 √r | Jrᵀ diag(1/r) Jr |
//! | `ensemble` | (F₁ … F_S)/√S | the mean of the members' metrics |
//! | `feature` | φ(μ), φ a second model | (JφJμ)ᵀ JφJμ (Arvanitidis et al., 2022) |
//!
//! The Fisher–Rao metric of a Gaussian has no such map and is a [`FormManifold`](super::FormManifold): `gaussian-fisher`.

use std::sync::Arc;

use latlas_graph::ops::{Binary, Unary};
use latlas_graph::{Builder, Graph, NodeId, Op, Port, Rows, lower};

use super::{FormManifold, Manifold, PullbackManifold};
use crate::error::{Error, Result};
use crate::models::OnnxDecoder;
use crate::models::onnx::Heads;

/// Which geometry the outputs of a decoder are given.
#[derive(Debug, Clone, Default)]
pub enum Embedding {
    /// [`Embedding::Gaussian`] where the decoder has a spread, otherwise [`Embedding::Mean`].
    #[default]
    Auto,
    /// The mean alone, or what the file computes.
    Mean,
    /// Mean and standard deviation.
    Gaussian,
    /// The Fisher–Rao metric of N(μ, diag σ²): Jμᵀ diag(σ⁻²) Jμ + 2 Jσᵀ diag(σ⁻²) Jσ.
    GaussianFisher,
    /// Independent Bernoulli outputs, from logits or probabilities.
    Bernoulli,
    /// One categorical output along the first axis of a sample (others are independent), from logits or probabilities.
    Categorical,
    /// Independent Poisson outputs, from their rates.
    Poisson,
    /// The decoder with further ones, each with its own heads; every member is embedded as [`Embedding::Auto`].
    Ensemble(Vec<(Arc<Graph>, Heads)>),
    /// The mean seen by a second model: its graph, the input that takes the decoder's output, and the output that counts.
    Feature(Arc<Graph>, usize, usize),
}

impl Embedding {
    /// As it is named on the command line and beside every number.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mean => "mean",
            Self::Gaussian => "gaussian",
            Self::GaussianFisher => "gaussian-fisher",
            Self::Bernoulli => "bernoulli",
            Self::Categorical => "categorical",
            Self::Poisson => "poisson",
            Self::Ensemble(_) => "ensemble",
            Self::Feature(..) => "feature",
        }
    }

    /// What [`Embedding::Auto`] stands for with these heads; others are themselves.
    #[must_use]
    pub fn resolved(self, heads: &Heads) -> Self {
        match self {
            Self::Auto if heads.std.or(heads.logvar).is_some() => Self::Gaussian,
            Self::Auto => Self::Mean,
            other => other,
        }
    }

    /// The embedding as a decoder of its own: z ↦ F(z).
    ///
    /// # Errors
    /// A head that the embedding needs and the decoder lacks; [`Embedding::GaussianFisher`], which has no F.
    pub fn of(self, decoder: &OnnxDecoder) -> Result<OnnxDecoder> {
        let (graph, output) = embed(decoder.graph(), decoder.heads(), self)?;
        decoder.with_graph(graph, output)
    }

    /// The latent space with this metric.
    ///
    /// # Errors
    /// Those of [`Embedding::of`]; a decoder with a condition (fix it with [`OnnxDecoder::at_condition`]).
    pub fn manifold(self, decoder: &OnnxDecoder) -> Result<Arc<dyn Manifold>> {
        let embedding = self.resolved(decoder.heads());
        let name = embedding.name();
        Ok(match embedding {
            Self::GaussianFisher => Arc::new(FormManifold::gaussian_fisher(decoder)?),
            flat => Arc::new(PullbackManifold::new(name, Arc::new(flat.of(decoder)?))?),
        })
    }
}

/// A graph with the embedding of its outputs as a further output, and which one that is; the mean stays where it is.
///
/// # Errors
/// A head that the embedding needs and the graph lacks; [`Embedding::GaussianFisher`], which has no map.
pub fn embed(graph: &Graph, heads: &Heads, embedding: Embedding) -> Result<(Arc<Graph>, usize)> {
    let embedding = embedding.resolved(heads);
    if matches!(embedding, Embedding::Mean) {
        return Ok((Arc::new(graph.clone()), heads.mean));
    }
    let mut b = Builder::from_graph(graph.clone());
    let nodes: Vec<NodeId> = graph.outputs.iter().map(|port| port.node).collect();
    let node = write(&mut b, graph, &nodes, heads, &embedding)?;
    let node = flat(&mut b, node);
    let shape = b.shape(node).to_vec();
    let mut outputs = graph.outputs.clone();
    outputs.push(Port { name: "embedding".into(), node, shape, default: None });
    let mut embedded = b.finish(outputs);
    embedded.operators.clone_from(&graph.operators);
    match &embedding {
        Embedding::Ensemble(members) => members.iter().for_each(|(member, _)| embedded.operators.extend_from_slice(&member.operators)),
        Embedding::Feature(feature, ..) => embedded.operators.extend_from_slice(&feature.operators),
        _ => {}
    }
    Ok((Arc::new(embedded), graph.outputs.len()))
}

/// F(z) from the nodes of a graph's outputs.
fn write(b: &mut Builder, graph: &Graph, outputs: &[NodeId], heads: &Heads, embedding: &Embedding) -> Result<NodeId> {
    let mean = outputs[heads.mean];
    Ok(match embedding {
        Embedding::Auto | Embedding::Mean => mean,
        Embedding::Gaussian => {
            let (mean, sigma) = mean_and_spread(b, outputs, heads, embedding)?;
            b.concat(&[mean, sigma], 0)
        }
        Embedding::GaussianFisher => {
            return Err(Error::Input {
                what: "the Fisher–Rao metric of a Gaussian is not the pull-back of a map".into(),
                hint: Some("--embedding gaussian is; metrics, maps and geodesics take gaussian-fisher, an export does not".into()),
            });
        }
        Embedding::Bernoulli => {
            if let Some(logits) = logits(b, outputs, heads) {
                // 2 asin √p = π/2 + 2 atan tanh(l/4), whose slope √(p(1−p)) stays finite where √p has none.
                let quarter = lower::times(b, logits, 0.25);
                let tanh = b.unary(Unary::Tanh, quarter);
                let angle = b.unary(Unary::Atan, tanh);
                let twice = lower::times(b, angle, 2.0);
                lower::plus(b, twice, std::f64::consts::FRAC_PI_2)
            } else {
                let root = b.unary(Unary::Sqrt, mean);
                let angle = b.unary(Unary::Asin, root);
                lower::times(b, angle, 2.0)
            }
        }
        Embedding::Categorical => match heads.logits {
            // 2 √p = 2 exp(½ log p): the slopes √pᵢ (δᵢⱼ − pⱼ) are finite where √p has none.
            Some(head) => {
                let logits = of_shape(b, outputs[head], &graph.outputs[head].shape);
                let log = lower::log_softmax(b, logits, &[0])?;
                let half = lower::times(b, log, 0.5);
                let root = b.unary(Unary::Exp, half);
                lower::times(b, root, 2.0)
            }
            None => twice_root(b, mean),
        },
        Embedding::Poisson => twice_root(b, mean),
        Embedding::Ensemble(members) => {
            let z = graph.inputs[heads.latent].node;
            let own = write(b, graph, outputs, heads, &Embedding::Auto.resolved(heads))?;
            let mut parts = vec![flat(b, own)];
            for (member, theirs) in members {
                let inputs = same_inputs(b, graph, heads, member, theirs, z)?;
                let written = b.graft(member, &inputs)?;
                let node = write(b, member, &written, theirs, &Embedding::Auto.resolved(theirs))?;
                parts.push(flat(b, node));
            }
            let all = b.concat(&parts, 0);
            lower::times(b, all, (parts.len() as f64).sqrt().recip())
        }
        Embedding::Feature(feature, input, output) => {
            let port = &feature.inputs[*input];
            let (given, takes) = (&graph.outputs[heads.mean], port.shape.iter().product::<usize>());
            if given.shape.iter().product::<usize>() != takes {
                let what = format!(
                    "the feature model takes {:?} {:?}, the decoder gives {:?} {:?}",
                    port.name, port.shape, given.name, given.shape
                );
                return Err(Error::Shape { what, hint: Some("its input must be the decoder's mean".into()) });
            }
            b.graft(feature, &[(*input, mean)])?[*output]
        }
    })
}

/// The inputs of a member of an ensemble: the latents of the first, and its condition where both have one.
fn same_inputs(b: &Builder, graph: &Graph, heads: &Heads, member: &Graph, theirs: &Heads, z: NodeId) -> Result<Vec<(usize, NodeId)>> {
    let (first, other) = (b.shape(z).iter().product::<usize>(), member.inputs[theirs.latent].shape.iter().product::<usize>());
    if first != other {
        let what = format!("the members of an ensemble share their latents, but the first decoder takes {first} and another {other}");
        return Err(Error::Shape { what, hint: None });
    }
    let mut inputs = vec![(theirs.latent, z)];
    if let (Some(from), Some(to)) = (heads.condition, theirs.condition) {
        inputs.push((to, graph.inputs[from].node));
    }
    Ok(inputs)
}

/// μ and σ, flat and equally wide.
pub(super) fn mean_and_spread(b: &mut Builder, outputs: &[NodeId], heads: &Heads, embedding: &Embedding) -> Result<(NodeId, NodeId)> {
    let Some(spread) = heads.std.or(heads.logvar) else {
        return Err(Error::Input {
            what: format!("the {} embedding needs a head with the spread, and the decoder has none", embedding.name()),
            hint: Some("name it with --logvar or --std, or take --embedding mean".into()),
        });
    };
    let mut sigma = outputs[spread];
    if heads.std.is_none() {
        // σ = exp(½ log σ²).
        let half = b.with_scalar(Binary::Mul, sigma, 0.5);
        sigma = b.unary(Unary::Exp, half);
    }
    let (mean, sigma) = (flat(b, outputs[heads.mean]), flat(b, sigma));
    let width = b.shape(mean).to_vec();
    let sigma = b.expand(sigma, &width);
    Ok((mean, sigma))
}

/// The logits of Bernoulli outputs: their head, or what a sigmoid that ends the decoder was given.
fn logits(b: &Builder, outputs: &[NodeId], heads: &Heads) -> Option<NodeId> {
    let mut node = match heads.logits {
        Some(head) => return Some(outputs[head]),
        None => b.graph().node(outputs[heads.mean]),
    };
    // Reshapes after it keep all elements; their order does not matter to a metric.
    loop {
        match (&node.op, &node.operands[..]) {
            (Op::Unary(Unary::Sigmoid), &[logits]) => return Some(logits),
            (Op::Map(map), &[x]) if map.is_identity(b.graph().node(x).item_len()) => node = b.graph().node(x),
            _ => return None,
        }
    }
}

fn twice_root(b: &mut Builder, x: NodeId) -> NodeId {
    let root = b.unary(Unary::Sqrt, x);
    lower::times(b, root, 2.0)
}

fn flat(b: &mut Builder, x: NodeId) -> NodeId {
    let len = b.graph().node(x).item_len();
    b.reshape(x, &[len])
}

fn of_shape(b: &mut Builder, x: NodeId, shape: &[usize]) -> NodeId {
    b.reshape(x, if shape.is_empty() { &[1] } else { shape })
}

/// A graph with a fresh input for the latents, and a decoder's heads written after it.
pub(super) fn over_latents(decoder: &OnnxDecoder) -> Result<(Builder, NodeId, Vec<NodeId>)> {
    let (graph, heads) = (decoder.graph(), decoder.heads());
    let from = &graph.inputs[heads.latent];
    let mut b = Builder::new();
    let z = b.input("z", Rows::SAMPLE, &from.shape, &graph.node(from.node).shape);
    let outputs = b.graft(graph, &[(heads.latent, z)])?;
    Ok((b, z, outputs))
}
