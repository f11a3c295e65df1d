//! Beside values that `peers/representation_reference.py` found with NumPy, SciPy and scikit-learn.

use latlas::run::{CodeInputs, Inputs, Settings};
use latlas::settings::Preset;
use ndarray::Array2;
use serde_json::Value as Json;

use crate::rows::{entries, estimate, matrix, numbers, scalar};

fn table(json: &Json) -> Array2<f64> {
    matrix(&json.as_array().unwrap().iter().map(numbers).collect::<Vec<_>>())
}

/// Every case with what the peer found of it.
fn cases() -> Vec<(Inputs, Json)> {
    let json: Json = serde_json::from_str(include_str!("reference.json")).unwrap();
    let inputs = |case: &Json| {
        let codes = CodeInputs {
            codes: Some(table(&case["codes"])),
            factors: Some(table(&case["factors"])),
            test_codes: Some(table(&case["test_codes"])),
            test_factors: Some(table(&case["test_factors"])),
            ..CodeInputs::default()
        };
        Inputs { codes, ..Inputs::default() }
    };
    json["cases"].as_array().unwrap().iter().map(|case| (inputs(case), case.clone())).collect()
}

fn study() -> Settings {
    Settings { preset: Preset::Study2019, ..Settings::default() }
}

#[test]
fn closed_forms_agree() {
    for (inputs, case) in cases() {
        for (id, expected) in case["exact"].as_object().unwrap() {
            let (found, expected) = (scalar(&estimate(&inputs, id, &study())), expected.as_f64().unwrap());
            assert!((found - expected).abs() < 1e-9, "{} {id}: {found} {expected}", case["name"]);
        }
    }
}

#[test]
fn learners_agree() {
    for (inputs, case) in cases() {
        for (id, tolerance) in [
            // The same convex problem, solved to 1e-6 and to 1e-9.
            ("explicitness", 1e-4),
            // Among 200 test rows a prediction near a boundary may flip.
            ("sap-svm", 0.01),
            // Equal gains are split at random by the peer (the mean over eight seeds), and for the lowest code here.
            ("dci-disentanglement", 0.01),
            ("dci-completeness", 0.01),
            ("dci-informativeness", 0.01),
        ] {
            let (found, expected) = (scalar(&estimate(&inputs, id, &study())), case["learned"][id].as_f64().unwrap());
            assert!((found - expected).abs() < tolerance, "{} {id}: {found} {expected}", case["name"]);
        }
        let found = entries(&estimate(&inputs, "dci-disentanglement", &study()));
        let expected: Vec<Vec<f64>> = case["importances"].as_array().unwrap().iter().map(numbers).collect();
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 0.03, "{}: importance {found} {expected}", case["name"]);
        }
    }
}
