//! The two networks of an autoencoder: features of a datum, and a datum from latents.

use latlas_graph::NodeId;
use serde::{Deserialize, Serialize};

use super::Parts;
use super::layers::{Activation, affine, double, halve, perceptron};
use crate::error::{Error, Result};

/// Their form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Networks {
    /// Widths of the fully connected layers of the encoder; the decoder has them in reverse.
    pub hidden: Vec<usize>,
    /// Channels of the convolutions of the encoder, each of which halves the picture; none for data that are no pictures.
    pub channels: Vec<usize>,
    /// Between layers.
    pub activation: Activation,
}

impl Default for Networks {
    fn default() -> Self {
        Self { hidden: vec![256], channels: vec![], activation: Activation::Relu }
    }
}

impl Networks {
    /// Whether data of a shape can go through.
    ///
    /// # Errors
    /// Convolutions on what is no picture `[C, H, W]`, or whose sides do not halve often enough.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        let times = self.channels.len();
        let halves = |side: usize| side.is_multiple_of(1 << times);
        if times == 0 || (shape.len() == 3 && times < 16 && halves(shape[1]) && halves(shape[2])) {
            return Ok(());
        }
        Err(Error::Shape {
            what: format!("{times} convolutions halve a picture {times} times, but one sample has shape {shape:?}"),
            hint: Some(format!(
                "give pictures [n, C, H, W], or --shape CxHxW for flat rows, with sides that are multiples of {}, or no channels",
                1_u64 << times.min(63)
            )),
        })
    }

    /// Features of x, to put heads on: x → `[last width]`.
    ///
    /// # Errors
    /// Those of [`Networks::check`].
    pub fn features(&self, p: &mut Parts<'_>, name: &str, x: NodeId) -> Result<NodeId> {
        self.check(p.b.shape(x))?;
        let mut h = x;
        for (i, &channels) in self.channels.iter().enumerate() {
            h = halve(p, &format!("{name}.halve{i}"), h, channels)?;
            h = self.activation.apply(p, h);
        }
        if !self.hidden.is_empty() {
            h = perceptron(p, name, h, &self.hidden, self.activation);
            h = self.activation.apply(p, h);
        }
        Ok(h)
    }

    /// As many values as a datum of `shape` has, `heads` times, from latents: z → each `shape`.
    ///
    /// # Errors
    /// Those of [`Networks::check`].
    pub fn synthesis(&self, p: &mut Parts<'_>, name: &str, z: NodeId, shape: &[usize], heads: &[&str]) -> Result<Vec<NodeId>> {
        self.check(shape)?;
        let mut h = z;
        if !self.hidden.is_empty() {
            let widths: Vec<usize> = self.hidden.iter().rev().copied().collect();
            h = perceptron(p, name, h, &widths, self.activation);
            h = self.activation.apply(p, h);
        }
        let Some((last, others)) = self.channels.split_first() else {
            let size = shape.iter().product();
            let head = |head: &&str| {
                let y = affine(p, &format!("{name}.{head}"), h, size);
                p.b.reshape(y, shape)
            };
            return Ok(heads.iter().map(head).collect());
        };
        let times = self.channels.len();
        let smallest = [self.channels[times - 1], shape[1] >> times, shape[2] >> times];
        h = affine(p, &format!("{name}.picture"), h, smallest.iter().product());
        h = p.b.reshape(h, &smallest);
        // Channels in reverse; the last doubling makes the datum.
        for (i, &channels) in others.iter().rev().skip(1).chain((!others.is_empty()).then_some(last)).enumerate() {
            h = self.activation.apply(p, h);
            h = double(p, &format!("{name}.double{i}"), h, channels)?;
        }
        h = self.activation.apply(p, h);
        heads.iter().map(|head| Ok(double(p, &format!("{name}.{head}"), h, shape[0])?)).collect()
    }
}
