//! Two estimators of one gradient, and stochastic layers in files.

use latlas::models::zoo::{Autoencoder, Likelihood, Parameters, Spec, Vae};
use latlas::training::{Objective, Scatter, compare_estimators, file_graph};
use latlas_graph::evaluate::evaluate;

use super::{data, networks, short, stir};

/// The score's gradient has the expectation of the reparametrised one, and a larger variance for the encoder.
#[test]
fn both_estimators_have_the_same_expectation() {
    let vae = Vae { networks: networks(), likelihood: Likelihood::Gaussian, ..Vae::default() };
    let settings = short(Spec::Vae(vae));
    let rows = data(80, &[4]);
    let mut parameters = Parameters::new(5);
    Objective::new(settings.model.model(), &mut parameters, &[4], settings.batch, 8, true).unwrap();
    stir(&mut parameters);
    let draws = 1500;
    let compared = compare_estimators(&settings, &rows, &mut parameters, draws).unwrap();
    assert_eq!(compared.len(), parameters.list().len());
    for found in compared {
        let n = found.score.mean.len() as f64;
        let apart: f64 = found.score.mean.iter().zip(&found.reparametrised.mean).map(|(a, b)| (a - b).powi(2)).sum();
        // What chance alone gives, since entries of a block scatter together: it is 1 in expectation and rarely above 6.
        let by_chance = n * (found.score.variance + found.reparametrised.variance) / draws as f64;
        assert!(apart < 6.0 * by_chance, "{}: {apart:e}, by chance {by_chance:e}", found.block);
        let of_encoder = found.block.starts_with("encoder");
        let scatter = |s: &Scatter| (s.variance, s.error);
        let ((score, score_error), (through, error)) = (scatter(&found.score), scatter(&found.reparametrised));
        assert!(!of_encoder || score - through > 3.0 * score_error.hypot(error), "{}: {score:e} and {through:e}", found.block);
    }
}

#[test]
fn what_has_no_two_estimators_is_refused() {
    let rows = data(80, &[4]);
    let compared = |spec, draws| compare_estimators(&short(spec), &rows, &mut Parameters::new(0), draws).unwrap_err().to_string();
    assert!(compared(Spec::Autoencoder(Autoencoder::default()), 100).contains("only a VAE"));
    assert!(compared(Spec::Vae(Vae::default()), 19).contains("19 draws"));
    assert!(compared(Spec::Vae(Vae { layers: vec![2], ..Vae::default() }), 100).contains("one stochastic layer"));
}

/// The encoder's means of all layers decode to what the mean of the first layer alone does: the numbers of the upper layers that the encoder
/// gives undo what the prior of a layer adds to them.
#[test]
fn layers_of_a_saved_model_undo_each_other() {
    let (n, d) = (6, 4);
    let one = Vae { networks: networks(), ..Vae::default() };
    let all = Spec::Vae(Vae { layers: vec![3, 2], ..one.clone() });
    let one = Spec::Vae(one);
    let mut parameters = Parameters::new(4);
    Objective::new(all.model(), &mut parameters, &[d], n, 8, false).unwrap();
    stir(&mut parameters);
    let x: Vec<f64> = data(n, &[d]).values.iter().map(|&x| f64::from(x)).collect();
    let mut through = |spec: &Spec| {
        let encoder = file_graph(spec.model(), "encoder", &mut parameters, &[d]).unwrap();
        let decoder = file_graph(spec.model(), "decoder", &mut parameters, &[d]).unwrap();
        let codes = evaluate(&encoder, n, std::slice::from_ref(&x)).unwrap().remove(0);
        (codes.len() / n, evaluate(&decoder, n, &[codes]).unwrap().remove(0))
    };
    let ((wide, layered), (narrow, plain)) = (through(&all), through(&one));
    assert_eq!((wide, narrow), (7, 2));
    for (a, b) in layered.iter().zip(&plain) {
        assert!((a - b).abs() < 1e-12, "{a}, not {b}");
    }
}
