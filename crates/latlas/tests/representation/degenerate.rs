//! What a score says where there is little to say.

use latlas::run::{CodeInputs, Inputs, Settings, run};
use latlas::settings::Preset;
use ndarray::Array2;

use crate::rows::{Rows, caveats, close, estimate, numbers, scalar};

const BOTH: [Preset; 2] = [Preset::Study2019, Preset::Latlas];

/// Two factors in two codes, and whatever else the codes hold.
fn with(extra: impl Fn(&[f64]) -> f64) -> Rows {
    Rows::grid(&[2, 3], 40, |y| vec![y[0], y[1], extra(y)])
}

#[test]
fn constant_codes_count_in_the_study_and_are_left_out_else() {
    let rows = with(|_| 7.0);
    for (id, study, latlas) in [
        ("mig", 1.0, 1.0),
        ("mig-sup", 2.0 / 3.0, 1.0),
        ("modularity", 2.0 / 3.0, 1.0),
        ("dci-disentanglement", 1.0, 1.0),
        ("dci-completeness", 1.0, 1.0),
        ("sap-r2", 1.0, 1.0),
        ("irs", 1.0, 1.0),
        ("explicitness", 1.0, 1.0),
        ("gaussian-total-correlation", 0.0, 0.0),
        ("gaussian-wasserstein", 0.0, 0.0),
        ("mean-mutual-information", 0.0, 0.0),
    ] {
        // Information without its bias falls short of the entropy with it.
        let tolerance = if id.starts_with("mig") { 0.03 } else { 1e-6 };
        close(rows.study(id), study);
        let found = rows.latlas(id);
        assert!((found - latlas).abs() < tolerance, "{id}: {found}");
        for preset in BOTH {
            assert!(caveats(&rows.estimate(id, preset)).contains(&"constant-code"), "{id}");
        }
    }
    let svm = rows.study("sap-svm");
    assert!((0.0..=1.0).contains(&svm), "{svm}");
}

#[test]
fn constant_factors_are_out() {
    let rows = with(|_| 7.0);
    let factors = Array2::from_shape_fn((rows.factors.nrows(), 3), |(i, k)| if k == 2 { 4.0 } else { rows.factors[[i, k]] });
    let rows = Rows { factors, ..Rows::grid(&[2, 3], 40, <[f64]>::to_vec) };
    for id in ["mig", "mig-sup", "modularity", "dci-disentanglement", "dci-completeness", "sap-r2", "sap-svm", "irs", "explicitness"] {
        for preset in BOTH {
            let found = rows.estimate(id, preset);
            assert!(scalar(&found).is_finite() && caveats(&found).contains(&"constant-factor"), "{id}");
        }
    }
    close(rows.study("mig"), 1.0);
    close(rows.study("sap-r2"), 1.0);
    let parts = numbers(&rows.estimate("mig", Preset::Latlas).extra["per_factor"]);
    assert!(parts.len() == 3 && parts[2].is_nan());
}

#[test]
fn nothing_left_has_a_reason() {
    let rows = Rows { codes: Array2::ones((60, 2)), factors: Array2::from_shape_fn((60, 1), |(i, _)| (i % 2) as f64) };
    for preset in BOTH {
        for id in [
            "mig",
            "mig-sup",
            "modularity",
            "sap-r2",
            "sap-svm",
            "explicitness",
            "dci-disentanglement",
            "dci-completeness",
            "dci-informativeness",
        ] {
            let found = rows.estimate(id, preset);
            assert!(scalar(&found).is_nan() && found.extra["undefined"] == "no-active-code", "{id}");
        }
        close(scalar(&rows.estimate("irs", preset)), 0.0);
        close(scalar(&rows.estimate("gaussian-total-correlation", preset)), 0.0);
        close(scalar(&rows.estimate("gaussian-wasserstein", preset)), 0.0);
    }
    let rows = Rows { codes: Array2::from_shape_fn((60, 2), |(i, l)| (i * (l + 1) % 7) as f64), factors: Array2::ones((60, 1)) };
    for preset in BOTH {
        for id in ["mig", "sap-svm", "irs", "dci-completeness", "logistic-ladder", "boosted-efficiency"] {
            let found = rows.estimate(id, preset);
            assert_eq!(found.extra["undefined"], "no-usable-factor", "{id}");
        }
    }
}

#[test]
fn repeated_codes_close_the_gap_and_say_so() {
    let rows = with(|y| y[0]);
    for preset in BOTH {
        let mig = rows.estimate("mig", preset);
        let parts = numbers(&mig.extra["per_factor"]);
        close(parts[0], 0.0);
        assert!(caveats(&mig).contains(&"duplicate-codes"));
        assert!(mig.extra["merged_repeats"].as_f64().unwrap() > 0.95);
        let sap = rows.estimate("sap-r2", preset);
        close(scalar(&sap), 0.5);
        close(sap.extra["merged_repeats"].as_f64().unwrap(), 1.0);
        let dci = rows.estimate("dci-completeness", preset);
        assert!(caveats(&dci).contains(&"importance-not-unique"));
        close(dci.extra["merged_repeats"].as_f64().unwrap(), 1.0);
        let correlation = rows.estimate("gaussian-total-correlation", preset);
        assert!(scalar(&correlation) == f64::INFINITY && caveats(&correlation).contains(&"singular-covariance"));
        close(correlation.extra["independent_subset"]["value"].as_f64().unwrap(), 0.0);
        assert!(scalar(&rows.estimate("gaussian-wasserstein", preset)).is_finite());
        close(scalar(&rows.estimate("modularity", preset)), 1.0);
    }
}

#[test]
fn one_factor() {
    let rows = Rows::grid(&[3], 60, |y| vec![y[0], (y[0] * 7.0) % 2.0]);
    for preset in BOTH {
        for id in ["modularity", "dci-disentanglement"] {
            let found = rows.estimate(id, preset);
            close(scalar(&found), 1.0);
            assert!(caveats(&found).contains(&"single-factor"));
        }
        assert!(scalar(&rows.estimate("mig-sup", preset)) > 0.3);
    }
}

#[test]
fn one_code() {
    let rows = Rows::grid(&[3, 2], 60, |y| vec![y[0] + 0.1 * y[1]]);
    for preset in BOTH {
        for id in ["mig", "sap-r2", "sap-svm"] {
            let found = rows.estimate(id, preset);
            assert!(scalar(&found) > 0.1 && caveats(&found).contains(&"single-code"), "{id}");
        }
        close(scalar(&rows.estimate("dci-completeness", preset)), 1.0);
        close(scalar(&rows.estimate("gaussian-total-correlation", preset)), 0.0);
        close(scalar(&rows.estimate("mean-mutual-information", preset)), 0.0);
    }
}

#[test]
fn missing_labels_drop_the_row_for_that_factor_alone() {
    let mut rows = with(|_| 1.0);
    rows.factors[[0, 0]] = f64::NAN;
    rows.factors[[5, 1]] = f64::NAN;
    for id in ["mig", "sap-r2", "sap-svm", "dci-disentanglement", "explicitness", "irs", "modularity"] {
        let value = rows.study(id);
        assert!(value.is_finite() && value > 0.3, "{id}: {value}");
    }
}

#[test]
fn rows_that_are_not_finite_are_counted_and_then_too_many() {
    let mut rows = with(|y| y[0] + 0.5 * y[1]);
    rows.codes[[3, 1]] = f64::NAN;
    let found = rows.estimate("mig", Preset::Latlas);
    assert_eq!((found.n_seen - found.n_used, found.dropped["non-finite"]), (2, 2));
    for i in 0..20 {
        rows.codes[[i, 0]] = f64::INFINITY;
    }
    let error = run(&["mig".into()], &rows.inputs(), &Settings::default(), &|_, _| ()).unwrap_err();
    assert!(error.to_string().contains("codes non-finite"), "{error}");
}

#[test]
fn numbers_that_are_no_classes_are_refused_with_a_hint() {
    let rows = Rows {
        codes: Array2::from_shape_fn((400, 2), |(i, l)| (i * (l + 3) % 11) as f64),
        factors: Array2::from_shape_fn((400, 1), |(i, _)| i as f64),
    };
    let error = run(&["mig".into()], &rows.inputs(), &Settings::default(), &|_, _| ()).unwrap_err();
    assert!(error.hint().unwrap().contains("--factor-kinds"));
}

#[test]
fn classes_without_rows_are_told() {
    let all = with(|_| 1.0);
    let few: Vec<usize> = (0..all.codes.nrows()).filter(|i| all.factors[[*i, 1]] < 1.5).collect();
    let pick = |a: &Array2<f64>| a.select(ndarray::Axis(0), &few);
    let inputs = |train: bool| {
        let (codes, factors) = (pick(&all.codes), pick(&all.factors));
        let whole = (all.codes.clone(), all.factors.clone());
        let ((a, b), (c, d)) = if train { (whole, (codes, factors)) } else { ((codes, factors), whole) };
        let codes = CodeInputs { codes: Some(a), factors: Some(b), test_codes: Some(c), test_factors: Some(d), ..CodeInputs::default() };
        Inputs { codes, ..Inputs::default() }
    };
    for (train, id) in [(true, "class-missing-in-test"), (false, "class-missing-in-train")] {
        for score in ["sap-svm", "explicitness", "dci-informativeness"] {
            let found = estimate(&inputs(train), score, &Settings::default());
            assert!(caveats(&found).contains(&id) && scalar(&found).is_finite(), "{score}: {found:?}");
        }
    }
    close(scalar(&estimate(&inputs(false), "dci-informativeness", &Settings::default())), f64::midpoint(1.0, 2.0 / 3.0));
}

#[test]
fn few_rows_warn() {
    let rows = Rows::grid(&[2, 2], 5, <[f64]>::to_vec);
    let found = rows.estimate("mig", Preset::Latlas);
    assert!(caveats(&found).contains(&"too-few-samples") && caveats(&found).contains(&"biased-at-this-n"));
}
