//! inspect: what a file is.

use super::{fixture, latlas};

#[test]
fn the_digits_vae_is_described() {
    let ran = latlas(&["inspect", "builtin:digits-vae"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
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
    assert!(flop("decode") > 2.0 * 280_000.0 && flop("jacobian") > 2.0 * flop("decode") && flop("gram") > flop("jacobian"));
}
