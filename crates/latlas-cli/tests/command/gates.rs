//! Gates: a condition on the numbers decides the exit code.

use super::latlas;

const RUN: [&str; 6] = ["run", "total-correlation", "builtin:digits-vae", "--samples", "64", "--json"];

fn gated(condition: &str) -> super::Ran {
    latlas(&[&RUN[..], &["--gate", condition]].concat())
}

#[test]
fn a_gate_that_holds_changes_nothing() {
    let plain = latlas(&RUN);
    assert_eq!(plain.code, 0, "{}", plain.err);
    for condition in ["total-correlation < 100", "total_correlation >= 0", "invariants", "hadamard"] {
        let ran = gated(condition);
        assert_eq!((ran.code, &ran.out), (0, &plain.out), "{condition}: {}", ran.err);
    }
}

#[test]
fn a_gate_that_does_not_hold_ends_with_four_and_still_prints() {
    let ran = gated("total-correlation > 100");
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("error: gate `total-correlation > 100` does not hold: total-correlation is "), "{}", ran.err);
    assert!(serde_json::from_str::<serde_json::Value>(&ran.out).is_ok());
}

#[test]
fn a_gate_on_what_was_not_run_is_wrong_use() {
    let ran = gated("total-entropy < 1");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no estimate `total-entropy`"), "{}", ran.err);
    assert_eq!(gated("total-correlation =< 3").code, 2);
    assert_eq!(gated("total-correlation[7] < 3").code, 2);
}
