//! What the prior says of the samples of a probe.

use super::Probe;
use crate::context::{Context, PriorTerm};
use crate::error::Result;

impl Probe<'_> {
    /// −log pᵢ(zᵢ) of sample s for each latent, by the run's [`PriorTerm`]; zeros when there is none.
    pub fn surprisals(&self, s: usize) -> Vec<f64> {
        let Context { prior, latent_dim, .. } = self.context();
        match (self.context.prior_term(), self.latent(s)) {
            (PriorTerm::Analytic, _) => (0..*latent_dim).map(|i| prior.marginal_entropy(i).unwrap_or(f64::NAN)).collect(),
            (PriorTerm::Sampled, Some(z)) => (0..*latent_dim).map(|i| prior.surprisal(&z, i..=i).unwrap_or(f64::NAN)).collect(),
            _ => vec![0.0; *latent_dim],
        }
    }

    /// −log p of sample s over the latents in `live` together, by the run's [`PriorTerm`]; zero when there is none.
    pub fn joint_surprisal(&self, s: usize, live: &[usize]) -> f64 {
        let prior = &self.context.prior;
        match (self.context.prior_term(), self.latent(s)) {
            (PriorTerm::Analytic, _) => live.iter().map(|i| prior.marginal_entropy(*i).unwrap_or(f64::NAN)).sum(),
            (PriorTerm::Sampled, Some(z)) => prior.surprisal(&z, live.iter().copied()).unwrap_or(f64::NAN),
            _ => 0.0,
        }
    }

    /// log p of sample s over the latents in `live` together; NaN without latents or density.
    pub fn log_prior(&self, s: usize, live: &[usize]) -> f64 {
        let surprisal = self.latent(s).and_then(|z| self.context.prior.surprisal(&z, live.iter().copied()));
        surprisal.map_or(f64::NAN, |x| -x)
    }

    /// −log pᵢ + log ‖Jᵢ‖ of sample s for each latent; NaN where the column is dead or the sample not finite.
    pub fn entropies(&self, s: usize) -> Result<Vec<f64>> {
        let live = |x: f64| if x == f64::NEG_INFINITY { f64::NAN } else { x };
        Ok(self.surprisals(s).iter().zip(self.log_norms()?.row(s)).map(|(p, x)| p + live(*x)).collect())
    }

    /// log p_ST − log p_S − log p_T of sample s: what the prior alone makes two groups of latents share. Zero where it
    /// factorises or has no density.
    pub fn shared_surprisal(&self, s: usize, first: &[usize], second: &[usize]) -> f64 {
        if self.context.prior.is_factorised() {
            return 0.0;
        }
        let both = [first, second].concat();
        self.joint_surprisal(s, first) + self.joint_surprisal(s, second) - self.joint_surprisal(s, &both)
    }

    fn latent(&self, s: usize) -> Option<Vec<f64>> {
        self.batch.latents.as_ref().map(|z| z.row(s).to_vec())
    }
}
