//! Principal components of the data and the reconstruction error of cores.

use crate::explicit::{Explicit, inputs, of, settings};
use latlas::run::{Inputs, Sampling, Settings, run};
use ndarray::Array2;

const H0: f64 = 1.418_938_533_204_672_7;

/// x = (3 z₀, z₁, 0.5 z₂, 0).
fn axes() -> Inputs {
    inputs(Explicit::linear(3, vec![3., 0., 0., 0., 1., 0., 0., 0., 0.5, 0., 0., 0.]))
}

#[test]
fn a_core_leaves_over_the_variance_of_the_rest() {
    let report = run(&["core-reconstruction".into()], &axes(), &settings(40_000), &|_, _| {}).unwrap();
    let (got, error) = of(&report, "core-reconstruction");
    for (c, expected) in [10.25, 1.25, 0.25].into_iter().enumerate() {
        assert!((got[c] - expected).abs() < 4.0 * error[c] && error[c] < 0.02 * expected, "{got:?} ± {error:?}");
    }
    assert_eq!(got[3], 0.0);
    assert_eq!(report.estimates[0].extra["latent_order"], serde_json::json!([0, 1, 2]));
}

#[test]
fn principal_components_of_data_from_a_linear_decoder_are_its_spectrum() {
    let decoder = axes();
    let z = latlas::samples::Prior::Normal.draw(7, 0..1500, 3);
    let data = decoder.decoder.as_ref().unwrap().decode(z.view(), None).unwrap();
    let inputs = Inputs { data: Some(data), ..decoder };
    for sampling in [Sampling::Prior, Sampling::Data] {
        let settings = Settings { sampling, ..settings(50) };
        let report = run(&["pca-baseline".into(), "core-reconstruction".into()], &inputs, &settings, &|_, _| {}).unwrap();
        let (got, error) = of(&report, "pca-baseline");
        for (k, sd) in [3.0_f64, 1.0, 0.5].into_iter().enumerate() {
            assert!((got[k] - H0 - sd.ln()).abs() < 4.0 * error[k] && error[k] < 0.03, "{got:?} ± {error:?}");
        }
        assert_eq!(report.estimate("pca-baseline").unwrap().n_used, 1500);
        if sampling == Sampling::Data {
            // Both leave over what the data has beyond the first C axes.
            let left: Vec<f64> = serde_json::from_value(report.estimate("pca-baseline").unwrap().extra["left_over"].clone()).unwrap();
            let errors = of(&report, "core-reconstruction").0;
            assert!((1..3).all(|c| (errors[c] / left[c] - 1.0).abs() < 0.01), "{left:?} {errors:?}");
        }
    }
    let alone = Inputs { data: None, ..inputs.clone() };
    assert!(run(&["pca-baseline".into()], &alone, &settings(10), &|_, _| {}).unwrap_err().to_string().contains("needs data"));
    let one = Inputs { data: Some(Array2::ones((1, 4))), ..inputs };
    assert!(run(&["pca-baseline".into()], &one, &settings(10), &|_, _| {}).is_err());
}
