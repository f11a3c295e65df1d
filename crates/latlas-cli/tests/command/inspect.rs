//! inspect: what a file is.

use super::{fixture, latlas};

#[test]
fn the_digits_vae_is_described() {
    let ran = latlas(&["inspect", "builtin:digits-vae"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let (description, plan) = ran.out.split_at(ran.out.find("one sample's").unwrap());
    insta::assert_snapshot!(description);
    let rows: Vec<&str> = plan.lines().take(4).collect();
    assert!(rows[0].ends_with("limited by"), "{plan}");
    for (row, name) in rows[1..].iter().zip(["decode", "Jacobian", "Gram"]) {
        assert!(row.starts_with(name) && row.contains("FLOP") && (row.ends_with("arithmetic") || row.ends_with("memory")), "{row}");
    }
    assert!(plan.contains("in plain forward mode") && plan.contains("It is smooth."), "{plan}");
}

#[test]
fn the_flow_is_described_as_json() {
    let path = fixture("galaxy_flow.onnx");
    let ran = latlas(&["inspect", path.to_str().unwrap(), "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["file"], "galaxy_flow.onnx");
    // The weights and biases, and the constants of the splines.
    assert!((288_932..290_000).contains(&json["parameters"].as_u64().unwrap()), "{}", json["parameters"]);
    assert_eq!(json["inputs"][0]["shape"], serde_json::json!([7]));
    let role = |name: &str| {
        let outputs = json["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["name"] == name).unwrap()["role"].clone()
    };
    assert_eq!((role("x"), role("log_det")), ("mean".into(), "log-det".into()));
    assert_eq!((json["kinks"].as_bool(), json["supported"].as_bool()), (Some(true), Some(true)));
    let flop = |what: &str| json["cost_per_sample"][what]["flop"].as_f64().unwrap();
    assert!(json["elimination"]["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty()));
    assert!(json["elimination"]["plain_flop"].as_f64().unwrap() > flop("jacobian"));
    assert_eq!(json["rate"]["measured"], false);
    assert!(flop("decode") > 2.0 * 280_000.0 && flop("jacobian") > 2.0 * flop("decode") && flop("gram") > flop("jacobian"));
}
