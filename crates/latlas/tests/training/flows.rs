//! Flows are invertible, and their log-determinants are those of their Jacobians.

use latlas::models::zoo::{Parameters, Parts, Spec};
use latlas::training::Objective;
use latlas_graph::evaluate::evaluate;

use super::{data, models, stir};

/// |det| of a square matrix by elimination.
fn log_abs_det(mut a: Vec<Vec<f64>>) -> f64 {
    let n = a.len();
    let mut sum = 0.0;
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs())).unwrap();
        a.swap(i, pivot);
        sum += a[i][i].abs().ln();
        let (above, below) = a.split_at_mut(i + 1);
        for row in below {
            let factor = row[i] / above[i][i];
            row[i..].iter_mut().zip(&above[i][i..]).for_each(|(x, y)| *x -= factor * y);
        }
    }
    sum
}

#[test]
fn decoding_undoes_encoding() {
    let (n, d) = (6, 5);
    let flows = models().into_iter().filter(|(_, spec)| matches!(spec, Spec::Flow(_)));
    for (name, spec) in flows {
        let model = spec.model();
        let mut parameters = Parameters::new(1);
        Objective::new(model, &mut parameters, &[d], n, 8, false).unwrap();
        stir(&mut parameters);
        let mut file = |which: &str| {
            let mut p = Parts::file(&mut parameters);
            let outputs = model.file(which, &mut p, &[d]).unwrap();
            p.finish(outputs).0
        };
        let (encoder, decoder) = (file("encoder"), file("decoder"));
        let classes = encoder.inputs.get(1).map(|port| port.shape[0]);
        let condition: Vec<Vec<f64>> =
            classes.map(|c| (0..n * c).map(|i| f64::from(u8::from(i % c == i / c % c))).collect()).into_iter().collect();
        // Some values beyond the bound of a spline.
        let x: Vec<f64> = data(n, &[d]).values.iter().map(|&x| 12.0 * (f64::from(x) - 0.5)).collect();
        let with_condition = |first: Vec<f64>| [vec![first], condition.clone()].concat();
        let latents = evaluate(&encoder, n, &with_condition(x.clone())).unwrap();
        let back = evaluate(&decoder, n, &with_condition(latents[0].clone())).unwrap();
        for (a, b) in x.iter().zip(&back[0]) {
            assert!((a - b).abs() < 1e-9, "{name}: {a} came back as {b}");
        }
        for (there, and_back) in latents[1].iter().zip(&back[1]) {
            assert!((there + and_back).abs() < 1e-9, "{name}: log-determinants {there} and {and_back}");
        }
        let jacobian = encoder.jacobian(0, &[0]).unwrap();
        let columns = evaluate(&jacobian, n, &with_condition(x)).unwrap().remove(1);
        for (sample, log_det) in latents[1].iter().enumerate() {
            let matrix = (0..d).map(|i| columns[(sample * d + i) * d..][..d].to_vec()).collect();
            let expected = log_abs_det(matrix);
            assert!((log_det - expected).abs() < 1e-9, "{name}: log-determinant {log_det}, by elimination {expected}");
        }
    }
}
