//! report: the page and the JSON.

use super::{latlas_in, scratch};

#[test]
fn without_a_model_the_digits_are_reported() {
    let folder = scratch();
    let ran = latlas_in(folder.path(), &["report", "--samples", "200"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let paths: Vec<&str> = ran.out.lines().collect();
    assert_eq!(paths.len(), 3, "{}", ran.out);
    let plane: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join(paths[2])).unwrap()).unwrap();
    for map in plane["maps"].as_array().unwrap() {
        assert!(map["low"].as_f64() < map["high"].as_f64(), "{map}");
        for file in ["array", "picture"] {
            assert!(folder.path().join("latlas-out").join(map[file].as_str().unwrap()).exists(), "{map}");
        }
    }
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

/// Of a decoder with more latents the plane through three rows; a second model's maps take the colours of the first.
#[test]
fn planes_through_three_points() {
    let folder = scratch();
    let report =
        |words: &[&str]| latlas_in(folder.path(), &[&["report", "builtin:inversion:d=5:shift=4", "--samples", "64"], words].concat());
    let ran = report(&["--plane", "7,0,3", "-o", "one"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let read = |name: &str| serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(folder.path().join(name)).unwrap()).unwrap();
    let one = read("one/latent-plane.json");
    assert_eq!(one["anchors"][0]["name"], "draw 7 from the prior");
    let ran = report(&["--map-ranges", "one/latent-plane.json", "-o", "two"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let two = read("two/latent-plane.json");
    assert_eq!((&one["maps"][0]["low"], &one["maps"][0]["high"]), (&two["maps"][0]["low"], &two["maps"][0]["high"]));
    assert_ne!(one["anchors"], two["anchors"]);

    let ran = report(&["--plane", "1,2"]);
    assert!(ran.code == 2 && ran.err.contains("takes three rows, got 2"), "{}", ran.err);
    let ran = latlas_in(folder.path(), &["report", "--plane", "0,1,2"]);
    assert!(ran.code == 2 && ran.err.contains("more than two latents only"), "{}", ran.err);
    let ran = report(&["--plane", "1,1,2"]);
    assert!(ran.code == 2 && ran.err.contains("lies among the others"), "{}", ran.err);
    let ran = report(&["--map-ranges", "one/report.json"]);
    assert!(ran.code == 2 && ran.err.contains("no list \"maps\""), "{}", ran.err);
}
