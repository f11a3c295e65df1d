//! Every closed-form decoder that ships against its own truth.

use std::sync::Arc;

use crate::explicit::{of, settings};
use latlas::models::closed_form::{ClosedForm, TABLE};
use latlas::run::{Inputs, run};

#[test]
fn estimates_are_within_four_standard_errors_of_the_truth() {
    for entry in TABLE {
        let decoder = ClosedForm::named(entry.id).unwrap();
        let truth = decoder.truth();
        let inputs = Inputs { decoder: Some(Arc::new(decoder)), ..Inputs::default() };
        let report = run(&["entropy".into()], &inputs, &settings(4000), &|_, _| {}).unwrap();
        let check = |id: &str, expected: &[f64]| {
            let (value, error) = of(&report, id);
            assert_eq!(value.len(), expected.len());
            for ((v, s), e) in value.iter().zip(&error).zip(expected) {
                assert!((v - e).abs() <= 4.0 * s + 1e-9, "{} {id}: {v} ± {s}, expected {e}", entry.id);
            }
        };
        check("manifold-entropy", &truth.manifold_entropy());
        check("total-entropy", &[truth.total_entropy()]);
        check("total-correlation", &[truth.total_correlation()]);
        check("log-volume", &[truth.log_volume]);
        for law in &report.invariants {
            assert!(law.holds, "{}: {law:?}", entry.id);
        }
    }
}
