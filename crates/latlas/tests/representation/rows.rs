//! Small sets of codes and factors.

use latlas::estimate::{Estimate, Value};
use latlas::run::{CodeInputs, Inputs, Settings, run};
use latlas::settings::Preset;
use ndarray::Array2;

/// Codes and factors, the same rows to learn from and to test with.
#[derive(Clone)]
pub struct Rows {
    pub codes: Array2<f64>,
    pub factors: Array2<f64>,
}

impl Rows {
    /// From a row of factors to a row of codes, every combination of the factors so many times.
    pub fn grid(sizes: &[usize], times: usize, code: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let combinations: usize = sizes.iter().product();
        let (mut codes, mut factors) = (Vec::new(), Vec::new());
        for i in 0..combinations * times {
            let mut rest = i % combinations;
            let mut row = vec![0.0; sizes.len()];
            for (y, size) in row.iter_mut().zip(sizes).rev() {
                (*y, rest) = ((rest % size) as f64, rest / size);
            }
            codes.push(code(&row));
            factors.push(row);
        }
        Self { codes: matrix(&codes), factors: matrix(&factors) }
    }

    pub fn inputs(&self) -> Inputs {
        let codes = CodeInputs {
            codes: Some(self.codes.clone()),
            factors: Some(self.factors.clone()),
            test_codes: Some(self.codes.clone()),
            test_factors: Some(self.factors.clone()),
            ..CodeInputs::default()
        };
        Inputs { codes, ..Inputs::default() }
    }

    pub fn estimate(&self, id: &str, preset: Preset) -> Estimate {
        estimate(&self.inputs(), id, &Settings { preset, ..Settings::default() })
    }

    /// A scalar under the constants of the study.
    pub fn study(&self, id: &str) -> f64 {
        scalar(&self.estimate(id, Preset::Study2019))
    }

    pub fn latlas(&self, id: &str) -> f64 {
        scalar(&self.estimate(id, Preset::Latlas))
    }
}

pub fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

pub fn estimate(inputs: &Inputs, id: &str, settings: &Settings) -> Estimate {
    let report = run(&[id.into()], inputs, settings, &|_, _| ()).unwrap();
    report.estimate(id).unwrap().clone()
}

pub fn scalar(estimate: &Estimate) -> f64 {
    match estimate.value {
        Value::Scalar(x) => x,
        _ => panic!("{} is no scalar", estimate.id),
    }
}

/// Numbers under a name; what is undefined is NaN.
pub fn numbers(json: &serde_json::Value) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The matrix of an estimate, codes down and factors across.
pub fn entries(estimate: &Estimate) -> Vec<Vec<f64>> {
    estimate.extra["matrix"]["values"].as_array().unwrap().iter().map(numbers).collect()
}

pub fn caveats(estimate: &Estimate) -> Vec<&str> {
    estimate.caveats.iter().map(|c| c.id.as_str()).collect()
}

/// To the digits that are printed.
pub fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}
