//! Codes and factors instead of a model.

use std::path::Path;

use ndarray::ArrayD;
use serde_json::Value;

use super::{Ran, latlas, latlas_in, scratch, write};

/// Two aligned codes of 240 rows.
fn write_codes(folder: &Path) {
    let value = |i: usize, l: usize| if l == 0 { (i % 3) as f64 } else { (i / 3 % 4) as f64 };
    write(&folder.join("y.npy"), &ArrayD::from_shape_fn(vec![240, 2], |at| value(at[0], at[1])));
    write(&folder.join("z.npy"), &ArrayD::from_shape_fn(vec![240, 2], |at| (at[1] + 1) as f64 * value(at[0], at[1])));
    write(&folder.join("table.npy"), &ArrayD::from_shape_fn(vec![3, 4, 2], |at| at[at[2]] as f64));
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn scores_of_given_codes() {
    let folder = scratch();
    write_codes(folder.path());
    let run = ["run", "mig", "sap_svm", "--codes", "z.npy", "--factors", "y.npy", "--preset", "study-2019", "--json", "--quiet"];
    let report = json(&latlas_in(folder.path(), &run));
    assert_eq!(report["settings"]["preset"], "study-2019");
    assert_eq!(report["settings"]["builder"], "exact");
    let value = |id: &str| report["estimates"].as_array().unwrap().iter().find(|e| e["id"] == id).unwrap()["value"].as_f64().unwrap();
    assert!(value("mig") > 0.95 && value("sap-svm") > 0.0);
    assert_eq!(report["inputs"][1]["role"], "factors");
}

#[test]
fn scores_of_a_whole_grid() {
    let folder = scratch();
    write_codes(folder.path());
    let report = json(&latlas_in(folder.path(), &["run", "factor-vae-score", "--code-table", "table.npy", "--json", "--quiet"]));
    assert_eq!(report["estimates"][0]["value"], 1.0);
    assert_eq!(report["settings"]["builder"], "histogram");
}

#[test]
fn a_page_of_codes() {
    let folder = scratch();
    write_codes(folder.path());
    let ran = latlas_in(folder.path(), &["report", "--codes", "z.npy", "--factors", "y.npy", "-o", "out", "--quiet"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    for part in ["2 codes and 2 factors.", "figure-code-scores", "figure-code-factor-maps", "figure-rotation-attack"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn wrong_use_is_told() {
    let folder = scratch();
    write_codes(folder.path());
    let said = |words: &[&str]| {
        let ran = latlas_in(folder.path(), &[&["run", "mig"], words].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        ran.err
    };
    assert!(said(&["--codes", "z.npy"]).contains("mig needs factors"));
    assert!(said(&["--factors", "y.npy"]).contains("without codes"));
    assert!(said(&["--codes", "z.npy", "--factors", "y.npy", "--factor-kinds", "ordinal,round"]).contains("no kind of factor \"round\""));
    assert!(said(&["--codes", "z.npy", "--factors", "y.npy", "--codes-logvar", "table.npy"]).contains("log variances"));
    let ran = latlas(&["run", "representation", "builtin:digits-vae"]);
    assert!(ran.code == 2 && ran.err.contains("needs codes"), "{}", ran.err);
}
