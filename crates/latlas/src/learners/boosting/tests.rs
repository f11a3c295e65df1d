//! Boosting by hand: small tables whose first rounds are known.

use ndarray::{Array2, array};

use super::*;
use crate::learners::accuracy;

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
        assert_eq!((accuracy(fit.fitted(), &labels), fit.predict(&features)), (1.0, labels.clone()));
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
    assert_eq!((&a.importances, a.fitted()), (&b.importances, b.fitted()));
    assert_eq!((a.predict(&features), b.predict(&features)), (a.fitted().to_vec(), b.fitted().to_vec()));
}

/// What a tree of so many levels takes off the squares: plain loops over sorted rows, sums of f64.
fn plain(columns: &[Vec<f32>], rows: &[usize], residuals: &[f64], levels: usize) -> f64 {
    let all: f64 = rows.iter().map(|i| residuals[*i]).sum();
    let mut best = (0.0, Vec::new(), Vec::new());
    for column in columns.iter().filter(|_| levels > 0) {
        let mut order = rows.to_vec();
        order.sort_by(|a, b| column[*a].total_cmp(&column[*b]));
        let (mut sum, n) = (0.0, rows.len() as f64);
        for (i, pair) in order.windows(2).enumerate() {
            sum += residuals[pair[0]];
            let m = (i + 1) as f64;
            let gain = sum * sum / m + (all - sum) * (all - sum) / (n - m) - all * all / n;
            // Equal gains leave it to the first.
            if column[pair[1]] > column[pair[0]] + 1e-7 && gain > best.0 + 1e-10 {
                best = (gain, order[..=i].to_vec(), order[i + 1..].to_vec());
            }
        }
    }
    let (gain, left, right) = best;
    if gain == 0.0 { 0.0 } else { gain + plain(columns, &left, residuals, levels - 1) + plain(columns, &right, residuals, levels - 1) }
}

#[test]
fn exact_splits_are_the_best_of_all() {
    // More values than bins in two features, so that bins are looked into; few values in the third.
    let n = 700;
    let x = Array2::from_shape_fn((n, 3), |(i, j)| if j == 2 { (i % 40) as f64 } else { (i as f64 * (0.37 + j as f64)).sin() });
    let features = Features::new(x.view());
    let all: Vec<usize> = (0..n).collect();
    for classes in [2, 5, 30] {
        let label = |x: ndarray::ArrayView1<'_, f64>| ((x[0] + 0.7 * x[1] + 0.02 * x[2] + 2.0) * 7.0) as u32 % classes;
        let residuals: Vec<f64> = x.outer_iter().map(|x| f64::from(u8::from(label(x) == 0)) - 1.0 / f64::from(classes)).collect();
        let packing = Packing::new(n);
        let ground = Ground { bins: features.bins(), columns: &features.columns, builder: Builder::Exact, packing, factor: RATE };
        let mut importances = vec![0.0; 3];
        ground.grow(&residuals, &mut vec![0.0; n], &mut importances, &mut Workspace::default());
        let (found, expected) = (importances.iter().sum::<f64>() * n as f64, plain(&features.columns, &all, &residuals, 3));
        assert!((found - expected).abs() < 1e-9, "{classes}: {found} {expected}");
    }
}

#[test]
fn rows_in_another_order_give_the_same_trees() {
    let x = Array2::from_shape_fn((500, 4), |(i, j)| (i as f64 * (0.37 + j as f64)).sin());
    let labels: Vec<u32> = x.outer_iter().map(|x| ((x[0] + x[1] + 2.0) * 2.0) as u32).collect();
    let order: Vec<usize> = (0..500).map(|i| i * 77 % 500).collect();
    let moved: Vec<u32> = order.iter().map(|i| labels[*i]).collect();
    for builder in BUILDERS {
        let features = Features::new(x.view());
        let (a, b) =
            (Boosting::fit_rounds(&features, &labels, builder, 10), Boosting::fit_rounds(&features.select(&order), &moved, builder, 10));
        // Importances are sums over rounds, and each round's gains are the same.
        assert_eq!((&a.importances, a.scores(&features)), (&b.importances, b.scores(&features)));
    }
}
