//! The linear support-vector machine on one number, one class against the rest, with squared hinge loss.
//!
//! ```text
//! minimise ½(w² + b²) + C Σᵢ cᵢ max(0, 1 − tᵢ(w xᵢ + b))²,   C = 0.01
//! ```
//!
//! cᵢ = n/(v nₖ) for rows of class k itself and 1 for all others; with two classes there is one problem, and both classes
//! are weighted. A row's loss is active on one side of a point of the line, so sums over sorted numbers give objective,
//! gradient and Hessian in logarithmic time: Newton's method then costs next to nothing a class.
//!
//! Reference: Fan, Chang, Hsieh, Wang and Lin, LIBLINEAR (2008).

use super::{largest, present};

/// The strength of the loss.
const C: f64 = 0.01;

/// A fitted machine.
#[derive(Debug, Clone)]
pub struct LinearSvm {
    classes: Vec<u32>,
    /// (w, b) of each class; one for two classes.
    planes: Vec<(f64, f64)>,
}

/// Sums over the first so many of some sorted numbers.
struct Sorted {
    x: Vec<f64>,
    /// Of x and of x².
    sums: Vec<[f64; 2]>,
}

impl Sorted {
    fn new(mut x: Vec<f64>) -> Self {
        x.sort_by(f64::total_cmp);
        let mut sums = vec![[0.0; 2]];
        for (i, x) in x.iter().enumerate() {
            let [a, b] = sums[i];
            sums.push([a + x, b + x * x]);
        }
        Self { x, sums }
    }

    /// (n, Σx, Σx²) of the numbers on the side where t(w x + b) < 1.
    fn active(&self, t: f64, w: f64, b: f64) -> [f64; 3] {
        let below = |k: usize| [k as f64, self.sums[k][0], self.sums[k][1]];
        let slope = t * w;
        let n = self.x.len();
        if slope > 0.0 {
            below(self.x.partition_point(|x| t * (w * x + b) < 1.0))
        } else if slope < 0.0 {
            let [m, s, q] = below(self.x.partition_point(|x| t * (w * x + b) >= 1.0));
            let [all, sum, squares] = below(n);
            [all - m, sum - s, squares - q]
        } else {
            below(if t * b < 1.0 { n } else { 0 })
        }
    }
}

/// One class against the rest: the rows of each side with their weights, t = +1 first.
struct Problem<'a> {
    positive: (&'a Sorted, f64),
    /// Rows of all classes …
    all: Option<&'a Sorted>,
    /// … without these, or these alone.
    negative: (&'a Sorted, f64),
}

impl Problem<'_> {
    /// Weighted (n, Σx, Σx²) of the active rows of each side.
    fn sums(&self, w: f64, b: f64) -> [[f64; 3]; 2] {
        let positive = self.positive.0.active(1.0, w, b).map(|s| s * self.positive.1);
        let (rows, weight) = self.negative;
        let negative = match self.all {
            None => rows.active(-1.0, w, b),
            Some(all) => {
                let (all, own) = (all.active(-1.0, w, b), rows.active(-1.0, w, b));
                [all[0] - own[0], all[1] - own[1], all[2] - own[2]]
            }
        };
        [positive, negative.map(|s| s * weight)]
    }

    fn objective(&self, w: f64, b: f64) -> f64 {
        let loss = |[n, s, q]: [f64; 3], t: f64| n - 2.0 * t * (w * s + b * n) + w * w * q + 2.0 * w * b * s + b * b * n;
        let [p, m] = self.sums(w, b);
        0.5 * (w * w + b * b) + C * (loss(p, 1.0) + loss(m, -1.0))
    }

    fn solve(&self) -> (f64, f64) {
        let (mut w, mut b) = (0.0, 0.0);
        let mut value = self.objective(w, b);
        for _ in 0..100 {
            let [p, m] = self.sums(w, b);
            let [n, s, q] = [p[0] + m[0], p[1] + m[1], p[2] + m[2]];
            let (gw, gb) = (w + 2.0 * C * (w * q + b * s - p[1] + m[1]), b + 2.0 * C * (w * s + b * n - p[0] + m[0]));
            let (hww, hwb, hbb) = (1.0 + 2.0 * C * q, 2.0 * C * s, 1.0 + 2.0 * C * n);
            let determinant = hww * hbb - hwb * hwb;
            let (dw, db) = ((hbb * gw - hwb * gb) / determinant, (hww * gb - hwb * gw) / determinant);
            let mut step = 1.0;
            let mut next = self.objective(w - dw, b - db);
            while next > value && step > 1e-9 {
                step *= 0.5;
                next = self.objective(w - step * dw, b - step * db);
            }
            if next >= value {
                break;
            }
            (w, b, value) = (w - step * dw, b - step * db, next);
        }
        (w, b)
    }
}

impl LinearSvm {
    /// From numbers and the class of each.
    pub fn fit(x: &[f64], labels: &[u32]) -> Self {
        let (classes, places) = present(labels);
        let all = Sorted::new(x.to_vec());
        let of = |k: usize| Sorted::new(x.iter().zip(&places).filter(|(_, p)| **p as usize == k).map(|(x, _)| *x).collect());
        let own: Vec<Sorted> = (0..classes.len()).map(of).collect();
        let weight = |k: usize| x.len() as f64 / (classes.len() as f64 * own[k].x.len().max(1) as f64);
        let planes = match classes.len() {
            0 | 1 => Vec::new(),
            2 => vec![Problem { positive: (&own[1], weight(1)), all: None, negative: (&own[0], weight(0)) }.solve()],
            v => {
                let problem = |k: usize| Problem { positive: (&own[k], weight(k)), all: Some(&all), negative: (&own[k], 1.0) };
                (0..v).map(|k| problem(k).solve()).collect()
            }
        };
        Self { classes, planes }
    }

    /// The class of a number; the only one where training knew no other.
    pub fn predict(&self, x: f64) -> u32 {
        let place = match self.planes[..] {
            [] => 0,
            [(w, b)] => usize::from(w * x + b > 0.0),
            _ => {
                // Decisions that differ by rounding alone are equal, and the lowest class wins.
                let decisions: Vec<f64> = self.planes.iter().map(|(w, b)| w * x + b).collect();
                let most = decisions[largest(decisions.iter().copied())];
                decisions.iter().position(|d| *d >= most - 1e-9 * most.abs().max(1.0)).unwrap_or(0)
            }
        };
        self.classes.get(place).copied().unwrap_or(0)
    }

    /// (w, b) of each class.
    pub fn planes(&self) -> &[(f64, f64)] {
        &self.planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_of_fifty_rows() {
        let x: Vec<f64> = (0..100).map(|i| if i < 50 { -1.0 } else { 1.0 }).collect();
        let labels: Vec<u32> = (0..100).map(|i| u32::from(i >= 50)).collect();
        let (w, b) = LinearSvm::fit(&x, &labels).planes()[0];
        assert!((w - 2.0 / 3.0).abs() < 1e-12 && b.abs() < 1e-12, "{w} {b}");
    }

    #[test]
    fn middle_classes_cannot_be_picked_out_and_constants_get_a_bias() {
        let rows = 3000;
        let labels: Vec<u32> = (0..rows).map(|i| i % 3).collect();
        let x: Vec<f64> = labels.iter().map(|k| (f64::from(*k) - 1.0) * 1.5_f64.sqrt()).collect();
        let svm = LinearSvm::fit(&x, &labels);
        assert_eq!((0..3).map(|k| svm.predict((f64::from(k) - 1.0) * 1.5_f64.sqrt())).collect::<Vec<_>>(), [0, 1, 2]);
        let small: Vec<f64> = x.iter().map(|x| 0.1 * x).collect();
        let svm = LinearSvm::fit(&small, &labels);
        let right = small.iter().zip(&labels).filter(|(x, k)| svm.predict(**x) == **k).count();
        assert_eq!(right, 2000, "scale matters: one class is lost");
        let constant = LinearSvm::fit(&[2.0; 9], &[0, 0, 0, 0, 0, 1, 1, 1, 2]);
        assert!(constant.planes().iter().all(|(w, b)| w.is_finite() && b.is_finite()));
    }

    #[test]
    fn the_gradient_vanishes_at_the_solution() {
        let x: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60) / 10.0).collect();
        let labels: Vec<u32> = x.iter().map(|x| (*x as u32).min(3)).collect();
        let svm = LinearSvm::fit(&x, &labels);
        for (k, (w, b)) in svm.planes().iter().enumerate() {
            let own = labels.iter().filter(|l| **l as usize == k).count() as f64;
            let (mut gw, mut gb) = (*w, *b);
            for (x, label) in x.iter().zip(&labels) {
                let (t, c) = if *label as usize == k { (1.0, 60.0 / (4.0 * own)) } else { (-1.0, 1.0) };
                let slack = (1.0 - t * (w * x + b)).max(0.0);
                gw -= 2.0 * C * c * slack * t * x;
                gb -= 2.0 * C * c * slack * t;
            }
            assert!(gw.abs() < 1e-9 && gb.abs() < 1e-9, "class {k}: {gw} {gb}");
        }
    }
}
