//! Trained models: gradients at fixed weights, invertible flows, runs that resume to the same bits.
#![allow(clippy::unwrap_used)]

mod estimators;
mod flows;
mod folders;
mod gradients;
mod saved;

use latlas::models::zoo::{Autoencoder, Flow, Networks, Parameters, Spec, Vae};
use latlas::training::{Data, Settings};

/// Smooth data of this shape, in (0, 1).
pub fn data(n: usize, shape: &[usize]) -> Data {
    let d: usize = shape.iter().product();
    let value = |i: usize| {
        let (row, column) = ((i / d) as f32, (i % d) as f32);
        0.5 + 0.45 * (0.7 * row + 0.13 * row * column + column).sin()
    };
    Data { values: (0..n * d).map(value).collect(), shape: shape.to_vec(), labels: Some((0..n).map(|i| i % 3).collect()) }
}

/// Small networks without kinks.
pub fn networks() -> Networks {
    Networks { hidden: vec![6], channels: vec![], activation: latlas::models::zoo::Activation::Tanh }
}

/// Settings for a short training.
pub fn short(model: Spec) -> Settings {
    Settings { epochs: 3, batch: 16, held_out: 0.2, learning_rate: 1e-2, tile: 8, ..Settings::new(model) }
}

/// Moves all parameters away from their start, so that nothing is zero by chance.
pub fn stir(parameters: &mut Parameters) {
    let mut k = 0;
    for parameter in parameters.list_mut() {
        for x in &mut parameter.values {
            k += 1;
            *x += 0.1 * (1.3 * k as f32).sin();
        }
    }
}

/// Every family in several forms.
pub fn models() -> Vec<(&'static str, Spec)> {
    use latlas::models::zoo::{CodePrior, Corruption, Jacobian, JacobianPenalty, Likelihood, Penalty, Sparsity, flow::Coupling};
    let autoencoder = Autoencoder { latent: 3, networks: networks(), ..Autoencoder::default() };
    let asked = |penalty| Jacobian { penalty, weight: 0.3, ..Jacobian::default() };
    let bare = Networks { hidden: vec![], ..networks() };
    let vae = Vae { networks: networks(), ..Vae::default() };
    let flow = Flow { blocks: 2, hidden: vec![5], bins: 3, activation: latlas::models::zoo::Activation::Tanh, ..Flow::default() };
    vec![
        ("autoencoder", Spec::Autoencoder(autoencoder.clone())),
        ("squared error", Spec::Autoencoder(Autoencoder { likelihood: Likelihood::Gaussian, ..autoencoder.clone() })),
        ("tied", Spec::Autoencoder(Autoencoder { tied: true, networks: bare, ..autoencoder.clone() })),
        ("masked", Spec::Autoencoder(Autoencoder { corruption: Corruption::Mask(0.3), ..autoencoder.clone() })),
        ("noisy", Spec::Autoencoder(Autoencoder { corruption: Corruption::Gaussian(0.3), ..autoencoder.clone() })),
        ("sparse by L1", Spec::Autoencoder(Autoencoder { sparsity: Sparsity::L1(0.1), ..autoencoder.clone() })),
        ("sparse by KL", Spec::Autoencoder(Autoencoder { sparsity: Sparsity::Kl { target: 0.1, weight: 1.0 }, ..autoencoder.clone() })),
        ("autoencoder with a prior", Spec::Autoencoder(Autoencoder { prior: CodePrior::Mixture(2), ..autoencoder.clone() })),
        ("isometric", Spec::Autoencoder(Autoencoder { jacobian: asked(JacobianPenalty::Isometry), ..autoencoder.clone() })),
        ("well conditioned", Spec::Autoencoder(Autoencoder { jacobian: asked(JacobianPenalty::Condition), ..autoencoder })),
        ("vae", Spec::Vae(vae.clone())),
        ("β", Spec::Vae(Vae { beta: 4.0, warm_up: 10, ..vae.clone() })),
        ("gaussian", Spec::Vae(Vae { likelihood: Likelihood::Gaussian, std: 0.3, ..vae.clone() })),
        ("learned variance", Spec::Vae(Vae { likelihood: Likelihood::GaussianLearned, ..vae.clone() })),
        ("capacity", Spec::Vae(Vae { penalty: Penalty::Capacity, capacity: 2.0, capacity_steps: 5, ..vae.clone() })),
        ("total correlation", Spec::Vae(Vae { penalty: Penalty::TotalCorrelation, beta: 3.0, ..vae.clone() })),
        ("factor", Spec::Vae(Vae { penalty: Penalty::Factor, discriminator: vec![5], ..vae.clone() })),
        ("orthogonal columns", Spec::Vae(Vae { jacobian: asked(JacobianPenalty::OrthogonalColumns), ..vae.clone() })),
        ("three layers", Spec::Vae(Vae { layers: vec![3, 1], ..vae.clone() })),
        ("DIP I", Spec::Vae(Vae { penalty: Penalty::DipI, ..vae.clone() })),
        ("DIP II", Spec::Vae(Vae { penalty: Penalty::DipIi, ..vae })),
        ("affine flow", Spec::Flow(Flow { act_norm: true, ..flow.clone() })),
        ("volume-preserving flow", Spec::Flow(Flow { coupling: Coupling::VolumePreserving, ..flow.clone() })),
        ("spline flow", Spec::Flow(Flow { coupling: Coupling::Spline, classes: 3, ..flow.clone() })),
        ("flow with total correlation", Spec::Flow(Flow { total_correlation: 0.5, ..flow.clone() })),
        ("flow with a core", Spec::Flow(Flow { reconstruction: 2.0, core: 2, ..flow.clone() })),
        ("well conditioned flow", Spec::Flow(Flow { jacobian: asked(JacobianPenalty::Condition), ..flow })),
    ]
}
