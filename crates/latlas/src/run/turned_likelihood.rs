//! The likelihood of a model whose latents are turned: it must not change, whatever its scores say.
//!
//! ```text
//! z' = U z,   decoder'(z') = decoder(Uᵀz'),   q'(z'|x) = N(U μ, U diag(σ²) Uᵀ),   p(z') = N(0, I)
//! log p(x) = log mean over draws of p(x|z') p(z')/q'(z'|x)
//! ```
//!
//! The same draws serve every angle, so that what is left of the difference is rounding.

use ndarray::{Array2, Axis};

use super::Inputs;
use crate::codes::pair_turn;
use crate::error::Result;
use crate::random::{Purpose, Stream};
use crate::samples::Prior;
use crate::settings::Settings;
use crate::special_functions::HALF_LOG_TAU;

/// Rows of the data at most.
const ROWS: usize = 200;
/// Draws for each.
const DRAWS: usize = 32;

impl Inputs {
    /// Mean log p(x) over some rows of the data at each angle (radians). `None` where the model is not one whose likelihood
    /// can be found: a decoder and an encoder with spreads, one width, a standard normal prior, no condition.
    pub(super) fn turned_likelihood(&self, settings: &Settings, angles: &[f64]) -> Result<Option<Vec<f64>>> {
        let (Some(decoder), Some(encoder), Some(data)) = (&self.decoder, &self.encoder, &self.data) else { return Ok(None) };
        let l = decoder.latent_dim();
        if encoder.latent_dim() != l
            || !matches!(self.prior, Prior::Normal)
            || decoder.condition_dim().is_some()
            || self.condition.is_some()
        {
            return Ok(None);
        }
        let n = data.nrows().min(ROWS);
        let chosen: Vec<usize> = (0..n).map(|i| i * data.nrows() / n).collect();
        let data = data.select(Axis(0), &chosen);
        let posterior = encoder.encode(data.view(), None)?;
        let Some(logvar) = posterior.logvar else { return Ok(None) };
        let precise = decoder.in_double_precision();
        let decoder = precise.as_deref().unwrap_or(&**decoder);
        let repeated: Vec<usize> = (0..n * DRAWS).map(|k| k / DRAWS).collect();
        let data = data.select(Axis(0), &repeated);
        let (mut latents, mut log_q) = (Array2::zeros((n * DRAWS, l)), vec![0.0; n * DRAWS]);
        for (k, mut z) in latents.outer_iter_mut().enumerate() {
            let mut stream = Stream::new(settings.seed, Purpose::Posterior, (1 << 36) + k as u64, l);
            for (i, z) in z.iter_mut().enumerate() {
                let (e, v) = (stream.normal(), logvar[[k / DRAWS, i]]);
                *z = posterior.mean[[k / DRAWS, i]] + (0.5 * v).exp() * e;
                log_q[k] -= HALF_LOG_TAU + 0.5 * (v + e * e);
            }
        }
        let mut means = Vec::new();
        for angle in angles {
            let turn = pair_turn(l, *angle);
            let turned = latents.dot(&turn.t());
            // What the turned decoder does first.
            let back = turned.dot(&turn);
            let Some(log_density) = decoder.log_density(data.view(), back.view(), None)? else { return Ok(None) };
            let log_prior = |k: usize| turned.row(k).iter().map(|z| -HALF_LOG_TAU - 0.5 * z * z).sum::<f64>();
            let weights: Vec<f64> = (0..n * DRAWS).map(|k| log_density[k] + log_prior(k) - log_q[k]).collect();
            let row = |weights: &[f64]| {
                let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                top + (weights.iter().map(|w| (w - top).exp()).sum::<f64>() / weights.len() as f64).ln()
            };
            means.push(weights.chunks(DRAWS).map(row).sum::<f64>() / n as f64);
        }
        Ok(Some(means))
    }
}
