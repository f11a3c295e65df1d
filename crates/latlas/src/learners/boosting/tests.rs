//! Boosting by hand: small tables whose first rounds are known.

use ndarray::{Array2, array};

use super::*;

const BUILDERS: [Builder; 2] = [Builder::Exact, Builder::Histogram];

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

#[test]
fn two_classes_on_a_line() {
    let x = Features::new(array![[0.0], [1.0], [2.0], [3.0]].view());
    for builder in BUILDERS {
        for (rounds, expected) in [(1, 0.2), (2, 0.381_873), (3, 0.550_131)] {
            let fit = Boosting::fit_rounds(&x, &[0, 0, 1, 1], builder, rounds);
            let scores = fit.scores(&x);
            assert!(close(scores[0][3], expected) && close(scores[0][0], -expected), "{builder:?} {rounds}: {scores:?}");
        }
    }
}

#[test]
fn three_classes_on_a_line() {
    let x = Features::new(array![[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]].view());
    for builder in BUILDERS {
        for (rounds, own, other) in [(1, 0.2, -0.1), (2, 0.365_442, -0.195_037)] {
            let fit = Boosting::fit_rounds(&x, &[0, 0, 1, 1, 2, 2], builder, rounds);
            for (k, scores) in fit.scores(&x).iter().enumerate() {
                for (i, f) in scores.iter().enumerate() {
                    assert!(close(*f, if i / 2 == k { own } else { other }), "{builder:?} {rounds} {k} {i}: {f}");
                }
            }
        }
    }
}

#[test]
fn importances_of_two_features() {
    let rows = [[0., 0.], [0., 0.], [0., 0.], [0., 0.], [0., 1.], [0., 1.], [1., 0.], [1., 1.], [1., 1.], [1., 1.], [1., 1.], [1., 1.]];
    let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
    let x = Features::new(Array2::from(rows.to_vec()).view());
    for builder in BUILDERS {
        let fit = Boosting::fit_rounds(&x, &labels, builder, 1);
        let scores = fit.scores(&x);
        assert!(close(scores[0][0], 0.096_472) && close(scores[0][4], 0.302_187) && close(scores[0][7], 0.507_901), "{scores:?}");
        assert!(close(fit.importances[0], 25.0 / 29.0) && close(fit.importances[1], 4.0 / 29.0), "{:?}", fit.importances);
    }
}

#[test]
fn repeated_features_leave_all_to_the_first() {
    let x = Array2::from_shape_fn((200, 2), |(i, _)| (i * 37 % 200) as f64 / 10.0);
    let labels: Vec<u32> = x.column(0).iter().map(|x| (x / 5.0) as u32).collect();
    for builder in BUILDERS {
        let features = Features::new(x.view());
        let fit = Boosting::fit(&features, &labels, builder);
        assert_eq!(fit.importances, [1.0, 0.0]);
        assert_eq!(fit.accuracy(&features, &labels), 1.0);
    }
}

#[test]
fn one_class_is_a_constant_and_none_is_nothing() {
    let x = Features::new(array![[0.0], [1.0]].view());
    let fit = Boosting::fit(&x, &[5, 5], Builder::Exact);
    assert_eq!((fit.predict(&x), fit.importances), (vec![5, 5], vec![0.0]));
}

#[test]
fn both_builders_agree_where_bins_hold_one_value_each() {
    let x = Array2::from_shape_fn((400, 3), |(i, j)| ((i * (7 + 4 * j)) % (20 + j)) as f64);
    let labels: Vec<u32> = x.outer_iter().map(|x| ((x[0] + 2.0 * x[1]) as u32 / 15) % 5).collect();
    let features = Features::new(x.view());
    let [a, b] = BUILDERS.map(|builder| Boosting::fit(&features, &labels, builder));
    for (a, b) in a.importances.iter().zip(&b.importances) {
        // Both add in their own order, and late rounds split on residuals near rounding.
        assert!((a - b).abs() < 2e-4, "{a} {b}");
    }
    assert_eq!(a.predict(&features), b.predict(&features));
}
