//! Classes one by one, and priors that are mixtures.

use std::sync::Arc;

use crate::explicit::{Explicit, bits, inputs, of, settings};
use latlas::error::Result;
use latlas::models::{Cost, Decoder, Linearization};
use latlas::report::Report;
use latlas::run::{ClassWeights, Inputs, Run, Sampling, Settings, Shard, run, run_by_class};
use latlas::samples::Prior;
use ndarray::{Array2, ArrayView2, array};

const H0: f64 = 1.418_938_533_204_672_7;
const IDS: [&str; 3] = ["manifold-entropy", "total-entropy", "total-correlation"];

fn by_class(inputs: &Inputs, settings: &Settings, weights: ClassWeights) -> Report {
    run_by_class(&IDS.map(String::from), inputs, settings, weights, &|_, _| {}).unwrap()
}

fn mixture() -> Prior {
    Prior::Mixture { weights: vec![0.25, 0.75], means: vec![vec![-3.0, 0.0], vec![2.0, 1.0]], stds: vec![vec![0.5, 1.0], vec![2.0, 0.1]] }
}

#[test]
fn a_component_scales_its_columns() {
    let inputs = Inputs { prior: mixture(), ..inputs(Explicit::linear(2, vec![2., 1., 0., 1.])) };
    let logs = |c: usize| if c == 0 { [0.5_f64.ln(), 0.0] } else { [2.0_f64.ln(), 0.1_f64.ln()] };
    let geometric = [2.0_f64.ln(), 0.5 * 2.0_f64.ln()];
    for (weights, w) in [(ClassWeights::Equal, [0.5, 0.5]), (ClassWeights::Frequency, [0.25, 0.75])] {
        let report = by_class(&inputs, &settings(40), weights);
        let (got, error) = of(&report, "manifold-entropy");
        for i in 0..2 {
            let expected = H0 + geometric[i] + w[0] * logs(0)[i] + w[1] * logs(1)[i];
            assert!((got[i] - expected).abs() < 1e-12, "{got:?}");
            assert!(error[i] < 1e-12);
        }
        let total = of(&report, "total-entropy").0[0];
        let expected = 2.0 * H0 + 2.0_f64.ln() + (0..2).map(|c| w[c] * logs(c).iter().sum::<f64>()).sum::<f64>();
        assert!((total - expected).abs() < 1e-12);
        // Given the class, scaling columns changes no angle.
        assert!((of(&report, "total-correlation").0[0] - 0.5 * 2.0_f64.ln()).abs() < 1e-12);
        let extra = &report.estimate("manifold-entropy").unwrap().extra;
        assert_eq!(extra["convention"]["conditioning"], "per-class");
        assert_eq!(extra["convention"]["prior_term"], "analytic");
        assert_eq!(extra["classes"].as_array().map(Vec::len), Some(2));
    }
}

/// Prior part of the total correlation of a mixture by quadrature, against the average over samples.
#[test]
fn the_marginal_reading_has_a_prior_part() {
    let prior = mixture();
    let inputs = Inputs { prior: prior.clone(), ..inputs(Explicit::linear(2, vec![2., 1., 0., 1.])) };
    let report = run(&IDS.map(String::from), &inputs, &settings(20_000), &|_, _| {}).unwrap();
    let estimate = report.estimate("total-correlation").unwrap();
    let part = |key: &str| estimate.extra[key].as_f64().unwrap();
    let mut truth = 0.0;
    let (h, k) = (0.02, 0.01);
    for a in -500..500 {
        for b in -500..500 {
            let z = [f64::from(a) * h, f64::from(b) * k];
            let joint = prior.surprisal(&z, 0..2).unwrap();
            let apart = prior.surprisal(&z, 0..1).unwrap() + prior.surprisal(&z, 1..2).unwrap();
            truth += h * k * (-joint).exp() * (apart - joint);
        }
    }
    let (value, error) = of(&report, "total-correlation");
    assert!((part("prior_part") - truth).abs() < 4.0 * error[0], "{} {truth} ± {error:?}", part("prior_part"));
    assert!((part("geometric") - 0.5 * 2.0_f64.ln()).abs() < 1e-12);
    assert!((value[0] - part("prior_part") - part("geometric")).abs() < 1e-12);
    assert_eq!(estimate.extra["convention"]["conditioning"], "marginal");
}

/// x = exp(c) z₀ for condition c, and a second axis that bends.
struct Conditional(Explicit);

impl Decoder for Conditional {
    fn latent_dim(&self) -> usize {
        2
    }

    fn condition_dim(&self) -> Option<usize> {
        Some(1)
    }

    fn ambient_shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn linearize<'a>(&'a self, z: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Box<dyn Linearization + 'a>> {
        let condition = condition.unwrap();
        let inner = Array2::from_shape_fn((z.nrows(), 3), |(s, i)| if i < 2 { z[[s, i]] } else { condition[[s, 0]] });
        // The condition goes in as a third latent whose column is cut off again.
        Ok(Box::new(Cut(self.0.linearize(inner.view(), None)?)))
    }

    fn cost(&self) -> Cost {
        Cost::default()
    }
}

struct Cut<'a>(Box<dyn Linearization + 'a>);

impl Linearization for Cut<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        self.0.decoded()
    }

    fn jvp(&self, tangents: ndarray::ArrayView3<'_, f64>) -> Result<ndarray::Array3<f64>> {
        let (n, k, _) = tangents.dim();
        self.0.jvp(ndarray::Array3::from_shape_fn((n, k, 3), |(s, t, i)| if i < 2 { tangents[[s, t, i]] } else { 0.0 }).view())
    }

    fn vjp(&self, cotangents: ndarray::ArrayView3<'_, f64>) -> Result<ndarray::Array3<f64>> {
        Ok(self.0.vjp(cotangents)?.slice_axis(ndarray::Axis(2), (0..2).into()).to_owned())
    }

    fn columns(&self) -> Result<ndarray::Array3<f64>> {
        Ok(self.0.columns()?.slice_axis(ndarray::Axis(1), (0..2).into()).to_owned())
    }
}

fn conditional(condition: Array2<f64>) -> Inputs {
    let decoder =
        Explicit::new(3, 2, |u| vec![u[2].exp() * u[0], u[1].sinh()], |u| vec![u[2].exp(), 0.0, u[2].exp() * u[0], 0.0, u[1].cosh(), 0.0]);
    Inputs { decoder: Some(Arc::new(Conditional(decoder))), condition: Some(condition), ..Inputs::default() }
}

#[test]
fn a_conditional_decoder_is_measured_class_by_class() {
    let inputs = conditional(array![[0.0], [1.0], [3.0], [1.0]]);
    for (weights, expected) in [(ClassWeights::Equal, 4.0 / 3.0), (ClassWeights::Frequency, 5.0 / 4.0)] {
        let report = by_class(&inputs, &settings(6000), weights);
        let (got, error) = of(&report, "manifold-entropy");
        assert!((got[0] - H0 - expected).abs() < 1e-12, "{got:?}");
        assert!((got[1] - 1.793_505_740_7).abs() < 4.0 * error[1] && error[1] < 0.02, "{got:?} ± {error:?}");
        let classes = report.estimate("manifold-entropy").unwrap().extra["classes"].as_array().cloned().unwrap();
        let names: Vec<&str> = classes.iter().filter_map(|class| class["class"].as_str()).collect();
        assert_eq!(names, ["0", "1", "3"]);
        assert!((classes[2]["value"][0].as_f64().unwrap() - H0 - 3.0).abs() < 1e-12);
        // √Σ w² s²
        let sum: f64 = classes.iter().map(|c| (c["weight"].as_f64().unwrap() * c["standard_error"][1].as_f64().unwrap()).powi(2)).sum();
        assert!((sum.sqrt() - error[1]).abs() < 1e-12);
        // Classes are independent of each other: not three times the same draws.
        assert!(classes[0]["value"][1] != classes[1]["value"][1]);
    }
}

#[test]
fn labels_make_classes_of_data() {
    let decoder = Explicit::new(1, 1, |z| vec![z[0].sinh()], |z| vec![z[0].cosh()]);
    let latents = [0.0_f64, 1.0, 1.0, 0.0];
    let data = Array2::from_shape_fn((4, 1), |(s, _)| latents[s].sinh());
    let inputs = Inputs { data: Some(data), labels: Some(vec![7, -2, -2, 7]), ..inputs(decoder) };
    let settings = Settings { sampling: Sampling::Data, ..settings(1) };
    let report = run_by_class(&["log-volume".into()], &inputs, &settings, ClassWeights::Equal, &|_, _| {}).unwrap();
    let classes = &report.estimates[0].extra["classes"];
    assert!((classes[0]["value"].as_f64().unwrap() - 1.0_f64.cosh().ln()).abs() < 1e-9 && classes[0]["class"] == "-2");
    assert!(classes[1]["value"].as_f64().unwrap().abs() < 1e-9);
    assert!((of(&report, "log-volume").0[0] - 0.5 * 1.0_f64.cosh().ln()).abs() < 1e-9);
}

#[test]
fn no_classes_is_an_error_with_help() {
    let plain = inputs(Explicit::linear(2, vec![2., 1., 0., 1.]));
    let error = run_by_class(&["entropy".into()], &plain, &settings(10), ClassWeights::Equal, &|_, _| {}).unwrap_err();
    assert!(error.hint().unwrap().contains("--condition"), "{error}");
}

/// Every class is cut into shards; each shard is kept in a file of its own.
#[test]
fn shards_of_classes_merge_to_the_bits_of_the_whole() {
    let labelled = {
        let decoder = Explicit::new(1, 1, |z| vec![z[0].sinh()], |z| vec![z[0].cosh()]);
        let data = Array2::from_shape_fn((60, 1), |(s, _)| ((s as f64) * 0.7).sin());
        Inputs { data: Some(data), labels: Some((0..60).map(|s| i64::from(s % 3 == 0)).collect()), ..inputs(decoder) }
    };
    let mixed = Inputs { prior: mixture(), ..inputs(Explicit::linear(2, vec![2., 1., 0., 1.])) };
    let by_data = Settings { sampling: Sampling::Data, chunk: Some(7), ..settings(1) };
    let by_prior = Settings { chunk: Some(7), ..settings(90) };
    let ids = ["entropy".to_string()];
    let weights = ClassWeights::Frequency;
    for (inputs, settings) in
        [(labelled, by_data), (mixed, by_prior), (conditional(array![[0.0], [1.0], [1.0]]), Settings { chunk: Some(7), ..settings(80) })]
    {
        let whole = run_by_class(&ids, &inputs, &settings, weights, &|_, _| {}).unwrap();
        let folder = std::env::temp_dir().join(format!("latlas-classes-{}-{}", std::process::id(), settings.samples));
        std::fs::create_dir_all(&folder).unwrap();
        let part = |index: usize, of: usize| {
            let file = folder.join(format!("{index}.state"));
            let mut run = Run::begin(&ids, &inputs, &settings, Some(weights), Shard { index, of }).unwrap();
            run.advance(&inputs, &settings, &|_, _| {}, Some(&file)).unwrap();
            Run::load(&file).unwrap()
        };
        let mut merged = part(2, 3);
        merged.merge(part(0, 3)).unwrap();
        assert_eq!(merged.missing(), [1]);
        merged.merge(part(1, 3)).unwrap();
        assert!(merged.merge(part(1, 3)).unwrap_err().to_string().contains("twice"));
        assert_eq!(bits(&merged.finish().unwrap()), bits(&whole));
        // Resuming what is done changes nothing, and other weights are another run.
        let again = |weights| Run::begin(&ids, &inputs, &settings, Some(weights), Shard::WHOLE).unwrap();
        let done = part(0, 1);
        let mut resumed = again(weights).resume(done).unwrap();
        resumed.advance(&inputs, &settings, &|_, _| {}, None).unwrap();
        assert_eq!(bits(&resumed.finish().unwrap()), bits(&whole));
        let error = again(ClassWeights::Equal).resume(part(0, 1)).err().unwrap().to_string();
        assert!(error.contains("weights differ"), "{error}");
        if inputs.condition.is_none() {
            let mut plain = Run::begin(&ids, &inputs, &settings, None, Shard { index: 0, of: 3 }).unwrap();
            assert!(plain.merge(part(1, 3)).unwrap_err().to_string().contains("classes"));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn damaged_files_of_classes_are_refused() {
    let inputs = Inputs { prior: mixture(), ..inputs(Explicit::linear(2, vec![2., 1., 0., 1.])) };
    let mut run = Run::begin(&["total-entropy".into()], &inputs, &settings(20), Some(ClassWeights::Equal), Shard::WHOLE).unwrap();
    run.advance(&inputs, &settings(20), &|_, _| {}, None).unwrap();
    let bytes = run.to_bytes().unwrap();
    assert!(Run::from_bytes(&bytes).is_ok_and(|run| run.finish().is_ok()));
    for cut in [0, 7, 12, 44, bytes.len() - 1] {
        assert!(Run::from_bytes(&bytes[..cut]).is_err());
    }
    for position in (0..bytes.len()).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        assert!(Run::from_bytes(&flipped).is_err(), "{position}");
    }
}
