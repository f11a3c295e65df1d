//! Flows are invertible, and their log-determinants are those of their Jacobians.

use latlas::models::zoo::flow::{Coupling, Flow};
use latlas::models::zoo::{Feed, Jacobian, JacobianPenalty, Parameters, Parts, Spec};
use latlas::training::{Objective, Settings, Trainer, file_graph};
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

/// Data far from whitened come out of an untrained flow with mean 0 and variance 1.
#[test]
fn act_norm_starts_from_the_first_batch() {
    let (n, d) = (64, 3);
    for coupling in [Coupling::Affine, Coupling::Spline] {
        let flow = Flow { blocks: 3, hidden: vec![4], coupling, act_norm: true, ..Flow::default() };
        let settings = Settings { batch: n, held_out: 0.0, ..Settings::new(Spec::Flow(flow)) };
        let mut rows = data(n, &[d]);
        rows.values.iter_mut().enumerate().for_each(|(k, x)| *x = 30.0 * *x * (k % d + 1) as f32 - 100.0);
        let mut parameters = Trainer::new(&settings, &rows).unwrap().parameters;
        let encoder = file_graph(settings.model.model(), "encoder", &mut parameters, &[d]).unwrap();
        let values: Vec<f64> = rows.values.iter().map(|&x| f64::from(x)).collect();
        let latents = evaluate(&encoder, n, &[values]).unwrap().remove(0);
        for i in 0..d {
            let column: Vec<f64> = latents.iter().skip(i).step_by(d).copied().collect();
            let mean = column.iter().sum::<f64>() / n as f64;
            let variance = column.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n as f64;
            assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-4, "{coupling:?} {i}: {mean}, {variance}");
        }
    }
}

/// What a flow's loss says of its decoder's Jacobian is what the saved decoder's Jacobian has, at the codes of the data.
#[test]
fn terms_of_the_jacobian_are_those_of_the_saved_decoder() {
    let (n, d) = (5, 4);
    for coupling in [Coupling::Affine, Coupling::Spline] {
        let jacobian = Jacobian { penalty: JacobianPenalty::OrthogonalColumns, ridge: 0.0, weight: 1.0 };
        let spec = Spec::Flow(Flow { blocks: 3, hidden: vec![5], coupling, total_correlation: 1.0, jacobian, ..Flow::default() });
        let mut parameters = Parameters::new(2);
        let objective = Objective::new(spec.model(), &mut parameters, &[d], n, 8, false).unwrap();
        stir(&mut parameters);
        let x: Vec<f64> = data(n, &[d]).values.iter().map(|&x| f64::from(x)).collect();
        let inputs: Vec<Vec<f64>> = objective
            .feeds()
            .map(|(feed, one)| match feed {
                Feed::Data => x.clone(),
                Feed::Parameter(i) => parameters.list()[*i].values.iter().map(|&x| f64::from(x)).collect(),
                _ => vec![0.0; n * one],
            })
            .collect();
        let terms = evaluate(objective.graph(), n, &inputs).unwrap();
        let names: Vec<&str> = objective.terms().collect();
        assert_eq!(names, ["negative-log-likelihood", "total-correlation", "jacobian"]);
        let encoder = file_graph(spec.model(), "encoder", &mut parameters, &[d]).unwrap();
        let decoder = file_graph(spec.model(), "decoder", &mut parameters, &[d]).unwrap();
        let latents = evaluate(&encoder, n, &[x]).unwrap().remove(0);
        let columns = evaluate(&decoder.jacobian(0, &[0]).unwrap(), n, &[latents]).unwrap().remove(1);
        let mut sum = 0.0;
        for sample in columns.chunks(d * d) {
            // A tangent is a row here, a column of the Jacobian.
            let matrix: Vec<Vec<f64>> = sample.chunks(d).map(<[f64]>::to_vec).collect();
            sum += matrix.iter().map(|column| 0.5 * column.iter().map(|x| x * x).sum::<f64>().ln()).sum::<f64>();
            sum -= log_abs_det(matrix);
        }
        let expected = sum / n as f64;
        assert!(expected > 0.01, "columns are not orthogonal here: {expected}");
        for term in [1, 2] {
            assert!((terms[term][0] - expected).abs() < 1e-9, "{}: {}, not {expected}", names[term], terms[term][0]);
        }
    }
}
