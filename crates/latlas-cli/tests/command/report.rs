//! report: the page and the JSON.

use super::{latlas_in, scratch};

#[test]
fn without_a_model_the_digits_are_reported() {
    let folder = scratch();
    let ran = latlas_in(folder.path(), &["report", "--samples", "200"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let paths: Vec<&str> = ran.out.lines().collect();
    assert_eq!(paths.len(), 2, "{}", ran.out);
    let page = std::fs::read_to_string(folder.path().join(paths[0])).unwrap();
    assert!(page.contains("<svg") && page.contains("Content-Security-Policy"));
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join(paths[1])).unwrap()).unwrap();
    assert_eq!(json["schema"], "latlas/1");
    let ids: Vec<&str> = json["estimates"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect();
    for id in ["manifold-entropy", "total-entropy", "total-correlation", "log-volume", "jacobian-spectrum"] {
        assert!(ids.contains(&id), "{id} is missing in {ids:?}");
    }
    for law in json["invariants"].as_array().unwrap() {
        assert!(law["holds"].as_bool().unwrap(), "{law}");
    }
    let roles: Vec<&str> = json["inputs"].as_array().unwrap().iter().map(|i| i["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["model", "encoder", "data", "labels"]);
}

#[test]
fn a_report_is_the_same_twice_and_elsewhere() {
    let reports = [scratch(), scratch()].map(|folder| {
        let ran = latlas_in(folder.path(), &["report", "--samples", "64", "-o", "atlas", "--quiet"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ["report.html", "report.json"].map(|file| std::fs::read(folder.path().join("atlas").join(file)).unwrap())
    });
    assert!(reports[0] == reports[1]);
}
