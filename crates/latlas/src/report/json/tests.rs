//! Tests of the JSON form: every report comes back as it was, and what is wrong is refused.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::{SideFile, damaged, from_json, npy_header, to_json};
use crate::caveat::Caveat;
use crate::error::Result;
use crate::estimate::{Invariant, Value};
use crate::report::extra::tests::estimate;
use crate::report::schema::{schema, tests::violations};
use crate::report::{InputRecord, Report};

fn report() -> Report {
    let mut entropy = estimate(
        "manifold-entropy",
        Value::Vector(vec![3.25, f64::NEG_INFINITY, f64::NAN]),
        Some(Value::Vector(vec![0.1 + 0.2, f64::NAN, f64::INFINITY])),
    );
    entropy.caveats.push(Caveat { id: "dead-column".into(), message: "latent <1> \u{1b}[2J".into() });
    entropy.dropped.insert("non-finite".into(), 3);
    entropy.extra.insert("order".into(), json!([0, 1, 2]));
    entropy.extra.insert("large".into(), json!({ "inner": vec![[1.0, 2.5]; 6000] }));
    let plain = estimate("total-entropy", Value::Scalar(f64::INFINITY), None);
    let undefined = estimate("total-correlation", Value::Scalar(f64::NAN), Some(Value::Scalar(f64::NAN)));
    let matrix = estimate("pairs", Value::Matrix(vec![vec![f64::NAN, 0.5], vec![f64::INFINITY, 1e-300]]), None);
    let mut wide = vec![vec![0.25; 101]; 100];
    wide[3][7] = f64::NEG_INFINITY;
    let large = estimate("averaged-columns", Value::Matrix(wide), Some(Value::Matrix(vec![vec![0.5; 101]; 100])));
    Report {
        inputs: vec![InputRecord { role: "model".into(), path: "digits.onnx".into(), sha256: "ab".repeat(32), shape: vec![2, 64] }],
        settings: [("seed".into(), json!(0)), ("prior".into(), json!({ "kind": "standard-normal" }))].into(),
        estimates: vec![entropy, plain, undefined, matrix, large],
        invariants: vec![
            Invariant { id: "hadamard".into(), holds: true, worst: 1e-15, tolerance: 1e-9 },
            Invariant { id: "adjoint".into(), holds: false, worst: f64::INFINITY, tolerance: 1e-5 },
        ],
        citations: vec!["Galperin, Köthe (2024)".into()],
    }
}

fn reopen(text: &str, files: &[SideFile]) -> Result<Report> {
    let mut open = |name: &str| {
        let found = files.iter().find(|f| f.name == name).map(|f| f.bytes.clone());
        found.ok_or_else(|| damaged(format!("{name} is missing")))
    };
    from_json(text, &mut open)
}

/// Reports compared with NaN equal to NaN.
fn same(a: &Report, b: &Report) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn a_report_comes_back_as_it_was() {
    let report = report();
    let (text, files) = to_json(&report);
    let back = reopen(&text, &files).unwrap();
    assert!(same(&report, &back), "{report:#?}\n{back:#?}");
    assert_eq!(to_json(&back), (text, files));
}

#[test]
fn it_is_what_the_schema_says() {
    let (text, _) = to_json(&report());
    let mut found = Vec::new();
    violations(&serde_json::from_str(&text).unwrap(), &schema(), &schema(), "", &mut found);
    assert!(found.is_empty(), "{found:#?}");

    let mut wrong: Json = serde_json::from_str(&text).unwrap();
    wrong["estimates"][0]["n_used"] = json!("many");
    wrong["estimates"][1]["surprise"] = json!(1);
    wrong["invariants"][0].as_object_mut().unwrap().remove("holds");
    violations(&wrong, &schema(), &schema(), "", &mut found);
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn notes_say_what_null_means() {
    let (text, files) = to_json(&report());
    let json: Json = serde_json::from_str(&text).unwrap();
    let entropy = &json["estimates"][0];
    assert_eq!(entropy["value"], json!([3.25, null, null]));
    assert_eq!(entropy["non_finite"], json!({ "1": "-inf" }));
    assert_eq!(entropy["undefined"], json!({ "2": "latent <1> \u{1b}[2J" }));
    assert_eq!(entropy["standard_error"][0], json!(0.1 + 0.2));
    assert_eq!(entropy["standard_error_non_finite"], json!({ "2": "inf" }));
    assert_eq!(json["estimates"][1]["non_finite"], json!("inf"));
    assert_eq!(json["estimates"][3]["non_finite"], json!({ "1,0": "inf" }));
    assert_eq!(json["estimates"][4]["value"], json!({ "file": "averaged-columns.value.npy", "shape": [100, 101] }));
    assert_eq!(entropy["extra"]["large"]["inner"], json!({ "file": "manifold-entropy.large.inner.npy", "shape": [6000, 2] }));
    assert!(!text.contains("NaN") && !text.contains('\u{1b}'));
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    assert!(names.contains(&"averaged-columns.standard_error.npy"), "{names:?}");
}

#[test]
fn keys_are_sorted_and_folders_stay_private() {
    fn check(json: &Json) {
        if let Some(map) = json.as_object() {
            assert!(map.keys().is_sorted());
            map.values().for_each(check);
        }
    }
    let mut report = report();
    report.inputs[0].path = "/srv/ada/secret/digits.onnx".into();
    let (text, _) = to_json(&report);
    assert!(!text.contains("secret") && text.contains("\"digits.onnx\""));
    check(&serde_json::from_str(&text).unwrap());
    let top: Vec<usize> =
        ["\"citations\"", "\"estimates\"", "\"inputs\"", "\"invariants\""].iter().map(|k| text.find(k).unwrap()).collect();
    assert!(top.is_sorted());
}

#[test]
fn numpy_files_are_aligned_and_readable() {
    let (_, files) = to_json(&report());
    let file = &files.iter().find(|f| f.name == "averaged-columns.value.npy").unwrap().bytes;
    let folder = std::env::temp_dir().join(format!("latlas-side-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("file.npy");
    std::fs::write(&path, file).unwrap();
    let table = crate::data::read(path.to_str().unwrap()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(table.values.shape(), [100, 101]);
    assert_eq!(table.values[[3, 7]], f64::NEG_INFINITY);
    assert_eq!((file.len() - 8 * 100 * 101) % 64, 0);
    assert!(String::from_utf8_lossy(&npy_header(&[2])).contains("'shape': (2,)"));
}

#[test]
fn damage_is_refused() {
    let (text, files) = to_json(&report());
    let refused = |text: &str| reopen(text, &files).unwrap_err().to_string();
    assert!(refused("{").contains("not JSON"));
    assert!(refused("{}").contains("schema"));
    assert!(refused(&text.replace("latlas/1", "latlas/9")).contains("latlas/9"));
    assert!(refused(&text.replace("averaged-columns.value.npy", "../../etc/passwd.npy")).contains("not the name"));
    assert!(refused(&text.replace("averaged-columns.value.npy", "absent.npy")).contains("missing"));
    assert!(refused(&"[".repeat(100_000)).contains("not JSON"));
    assert!(refused(&text.replacen("3.25", "\"3.25\"", 1)).contains("value"));
    assert!(reopen(&text, &[]).is_err());
    let huge = text.replace("6000,", "9000000000000000000,");
    assert!(refused(&huge).contains("too large"), "{}", refused(&huge));
    for cut in (0..text.len()).step_by(997).filter(|cut| text.is_char_boundary(*cut)) {
        assert!(reopen(&text[..cut], &files).is_err());
    }
}
