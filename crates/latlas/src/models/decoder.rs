//! A decoder and its linearisation at a batch of points.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};

use super::closed_form::Truth;
use crate::error::{Error, Result};

/// A map from latents to data: x = f(z), f: ℝᵈ → ℝᴰ.
pub trait Decoder: Send + Sync {
    /// d.
    fn latent_dim(&self) -> usize;

    /// Values of one row of the condition; `None` for a decoder without one.
    fn condition_dim(&self) -> Option<usize> {
        None
    }

    /// The shape of one decoded sample; D is its product.
    fn ambient_shape(&self) -> &[usize];

    /// D.
    fn ambient_dim(&self) -> usize {
        self.ambient_shape().iter().product()
    }

    /// f and its derivative at a batch of points. `latents [n, d]`; `condition [n, c]` for conditional decoders.
    fn linearize<'a>(&'a self, latents: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>)
    -> Result<Box<dyn Linearization + 'a>>;

    /// x = f(z) alone: `[n, d]` → `[n, D]`.
    fn decode(&self, latents: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Array2<f64>> {
        Ok(self.linearize(latents, condition)?.decoded()?.clone())
    }

    /// log |det ∂f/∂z| `[n]` as the model itself reports it (flows with a log-det head).
    fn log_det(&self, latents: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Option<Vec<f64>>> {
        Ok(self.linearize(latents, condition)?.log_det()?.map(<[f64]>::to_vec))
    }

    /// log p(x|z) `[n]` of data `[n, D]` at latents `[n, d]`, for a decoder that gives a normal distribution; `None` for
    /// others.
    fn log_density(
        &self,
        _data: ArrayView2<'_, f64>,
        _latents: ArrayView2<'_, f64>,
        _condition: Option<ArrayView2<'_, f64>>,
    ) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }

    /// Whether [`Decoder::log_det`] gives something.
    fn has_log_det(&self) -> bool {
        false
    }

    /// The same map computed in double precision, for a decoder that runs in single precision and has such a twin.
    fn in_double_precision(&self) -> Option<std::sync::Arc<dyn Decoder>> {
        None
    }

    /// The same map computed in single precision, for a decoder that runs in double precision and has such a twin.
    fn in_single_precision(&self) -> Option<std::sync::Arc<dyn Decoder>> {
        None
    }

    /// Lets go of what was kept for products with single vectors ([`Linearization::jvp`], [`Linearization::vjp`]); it is made anew
    /// where it is needed again.
    fn release_products(&self) {}

    /// Whether the derivative jumps somewhere (ReLU and the like).
    fn has_kinks(&self) -> bool {
        false
    }

    /// What is known of it on average over z ~ N(0, I), for maps that were written down to be known.
    fn truth(&self) -> Option<Truth> {
        None
    }

    /// Whether [`Linearization::second`] and its like give something.
    fn has_second_derivatives(&self) -> bool {
        false
    }

    /// How often it can be differentiated, and whether there is anything to differentiate twice.
    ///
    /// # Errors
    /// A graph that cannot be transformed.
    fn smoothness(&self) -> Result<Smoothness> {
        Ok(if self.has_kinks() { Smoothness::PiecewiseSmooth } else { Smoothness::Smooth })
    }

    /// Floating-point operations of one decode and of one Jacobian, for a sample.
    fn cost(&self) -> Cost;
}

/// How smooth a map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoothness {
    /// Its derivatives do not jump.
    Smooth,
    /// Derivatives jump somewhere (ReLU and the like), and between the jumps the map is curved.
    PiecewiseSmooth,
    /// Linear pieces: second derivatives vanish wherever they exist, and all bending sits in the kinks, where no second
    /// derivative sees it.
    PiecewiseLinear,
}

/// Floating-point operations a sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Of x = f(z).
    pub decode: f64,
    /// Of the full Jacobian.
    pub jacobian: f64,
}

/// A decoder at a batch of points: x = f(z), and Df(z) as an operator. What a derivative's primal pass finds on its way is kept.
pub trait Linearization: Send + Sync {
    /// f(z): `[n, D]`.
    fn decoded(&self) -> Result<&Array2<f64>>;

    /// log |det Df(z)| `[n]` as the model itself reports it (flows with a log-det head).
    fn log_det(&self) -> Result<Option<&[f64]>> {
        Ok(None)
    }

    /// Df(z) v: `[n, k, d]` → `[n, k, D]`.
    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>>;

    /// Df(z)ᵀ u: `[n, k, D]` → `[n, k, d]`.
    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>>;

    /// Df(z) column by column: `[n, d, D]`, column i of sample s in row `[s, i]`. The transpose of each `[d, D]` is the Jacobian.
    ///
    /// Columns are what entropies need, and they lie contiguous as forward mode makes them.
    fn columns(&self) -> Result<Array3<f64>>;

    /// Df v and D²f\[v, v\], the first and second derivative of t ↦ f(z + t v) at 0, along k directions a sample: `[n, k, d]` →
    /// twice `[n, k, D]`. Mixed ones follow by polarisation: D²f\[u, v\] = ½ (D²f\[u+v, u+v\] − D²f\[u, u\] − D²f\[v, v\]).
    ///
    /// # Errors
    /// A decoder of which only first derivatives are known.
    fn second(&self, _directions: ArrayView3<'_, f64>) -> Result<[Array3<f64>; 2]> {
        Err(first_order_only())
    }

    /// The columns `[n, d, D]` and D²f\[v, v\] `[n, D]` along one direction a sample `[n, d]`, in one pass where that is cheaper.
    ///
    /// # Errors
    /// Those of [`Linearization::second`].
    fn columns_and_second(&self, direction: ArrayView2<'_, f64>) -> Result<(Array3<f64>, Array2<f64>)> {
        let [_, second] = self.second(direction.insert_axis(Axis(1)))?;
        Ok((self.columns()?, second.index_axis_move(Axis(1), 0)))
    }

    /// The Hessian of z ↦ ⟨w, f(z)⟩, one w a sample: `[n, D]` → `[n, d, d]`. It costs about d + 1 gradients, where second
    /// derivatives along all pairs of directions would cost d²/2.
    ///
    /// # Errors
    /// Those of [`Linearization::second`].
    fn hessian(&self, _weights: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        Err(first_order_only())
    }

    /// [`Linearization::columns`] and [`Linearization::hessian`], in one pass where that is cheaper.
    ///
    /// # Errors
    /// Those of [`Linearization::second`].
    fn columns_and_hessian(&self, weights: ArrayView2<'_, f64>) -> Result<(Array3<f64>, Array3<f64>)> {
        Ok((self.columns()?, self.hessian(weights)?))
    }

    /// Df(z): `[n, D, d]`, a view of [`Linearization::columns`] with two axes exchanged.
    fn jacobian(&self) -> Result<Array3<f64>> {
        Ok(self.columns()?.permuted_axes([0, 2, 1]))
    }

    /// G = DfᵀDf: `[n, d, d]`.
    fn gram(&self) -> Result<Array3<f64>> {
        let columns = self.columns()?;
        let (n, d, _) = columns.dim();
        let mut gram = Array3::zeros((n, d, d));
        for (columns, mut gram) in columns.outer_iter().zip(gram.outer_iter_mut()) {
            gram.assign(&columns.dot(&columns.t()));
        }
        Ok(gram)
    }
}

fn first_order_only() -> Error {
    Error::Input {
        what: "second derivatives of this decoder are not known".into(),
        hint: Some("geometry needs a graph: an ONNX file, or a closed form that has one".into()),
    }
}
