//! Symmetric banded matrices, such as the block-tridiagonal Hessian of a curve's energy, and their LDLᵀ factorisation without pivoting:
//! n·w² operations for n rows with w entries beside the diagonal. The signs of D are those of the eigenvalues (Sylvester's law).

/// The lower triangle of a symmetric matrix, w + 1 entries a row of which the last is the diagonal.
#[derive(Debug, Clone)]
pub(super) struct Banded {
    width: usize,
    entries: Vec<f64>,
}

/// L with a unit diagonal, in whose place D is kept.
#[derive(Debug, Clone)]
pub(super) struct Ldl(Banded);

impl Banded {
    /// n rows of zeros with `width` entries beside the diagonal.
    pub fn zeros(n: usize, width: usize) -> Self {
        Self { width, entries: vec![0.0; n * (width + 1)] }
    }

    pub fn rows(&self) -> usize {
        self.entries.len() / (self.width + 1)
    }

    fn place(&self, i: usize, j: usize) -> usize {
        i * (self.width + 1) + self.width + j - i
    }

    /// Adds to the entry (i, j), i ≥ j.
    pub fn add(&mut self, i: usize, j: usize, value: f64) {
        let place = self.place(i, j);
        self.entries[place] += value;
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> + '_ {
        self.entries.iter().skip(self.width).step_by(self.width + 1).copied()
    }

    /// The mean size of the diagonal.
    pub fn scale(&self) -> f64 {
        self.diagonal().map(f64::abs).sum::<f64>() / self.rows().max(1) as f64
    }

    /// LDLᵀ of the matrix with `shift` added to its diagonal.
    pub fn factor(&self, shift: f64) -> Ldl {
        let (n, w) = (self.rows(), self.width);
        let mut l = self.clone();
        let tiny = 1e-15 * (self.scale() + shift);
        for i in 0..n {
            let low = i.saturating_sub(w);
            let (above, rest) = l.entries.split_at_mut(i * (w + 1));
            let row = &mut rest[..=w];
            row[w] += shift;
            // Row i holds L D until its pivot is known: t_ij = a_ij − Σ t_ik l_jk.
            for j in low..i {
                let first = low.max(j.saturating_sub(w));
                let (mine, theirs) = (&row[w + first - i..w + j - i], &above[j * (w + 1) + w + first - j..j * (w + 1) + w]);
                row[w + j - i] -= dot(mine, theirs);
            }
            let mut pivot = row[w];
            for j in low..i {
                let t = row[w + j - i];
                let scaled = t / above[j * (w + 1) + w];
                pivot -= t * scaled;
                row[w + j - i] = scaled;
            }
            // An exact zero would end the elimination; it counts as neither sign.
            row[w] = if pivot == 0.0 { tiny.max(f64::MIN_POSITIVE) } else { pivot };
        }
        Ldl(l)
    }
}

impl Ldl {
    /// Pivots, whose signs are the inertia.
    pub fn pivots(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.diagonal()
    }

    /// Whether all pivots are above a bound.
    pub fn is_above(&self, bound: f64) -> bool {
        self.pivots().all(|d| d > bound)
    }

    /// x with L D Lᵀ x = b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        let w = self.0.width;
        for i in 0..x.len() {
            let low = i.saturating_sub(w);
            let row = &self.0.entries[self.0.place(i, low)..self.0.place(i, i)];
            x[i] -= dot(row, &x[low..i]);
        }
        x.iter_mut().zip(self.pivots()).for_each(|(x, d)| *x /= d);
        self.transposed(x)
    }

    /// x with xᵀ A x = the pivot k: x = L⁻ᵀ eₖ, a direction of negative curvature where that pivot is negative.
    pub fn direction(&self, k: usize) -> Vec<f64> {
        let mut unit = vec![0.0; self.0.rows()];
        unit[k] = 1.0;
        self.transposed(unit)
    }

    fn transposed(&self, mut x: Vec<f64>) -> Vec<f64> {
        for i in (0..x.len()).rev() {
            let (first, value) = (i.saturating_sub(self.0.width), x[i]);
            for (j, x) in (first..i).zip(&mut x[first..i]) {
                *x -= self.0.entries[self.0.place(i, j)] * value;
            }
        }
        x
    }
}

/// Σ aᵢ bᵢ in four interleaved sums, which do not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        (0..4).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::linalg;
    use ndarray::Array2;

    fn dense(banded: &Banded) -> Array2<f64> {
        let n = banded.rows();
        Array2::from_shape_fn((n, n), |(i, j)| {
            let (i, j) = (i.max(j), i.min(j));
            if i - j > banded.width { 0.0 } else { banded.entries[banded.place(i, j)] }
        })
    }

    #[test]
    fn it_solves_and_knows_the_inertia() {
        for shift in [9.0, 0.0] {
            let mut banded = Banded::zeros(9, 3);
            for i in 0..9_usize {
                for j in i.saturating_sub(3)..=i {
                    banded.add(i, j, if i == j { if i % 2 == 0 { 3.0 } else { -3.0 } } else { (i * 7 + j * 3) as f64 % 5.0 / 5.0 });
                }
            }
            let factor = banded.factor(shift);
            let matrix = dense(&banded) + Array2::<f64>::eye(9) * shift;
            let (eigenvalues, _) = linalg::symmetric_eigen(matrix.view()).unwrap();
            let below = eigenvalues.iter().filter(|x| **x < 0.0).count();
            assert_eq!(factor.pivots().filter(|d| *d < 0.0).count(), below, "{eigenvalues}");
            assert_eq!((below == 0, factor.is_above(0.0)), (shift > 0.0, shift > 0.0), "{eigenvalues}");
            let b: Vec<f64> = (0..9).map(|i| f64::from(i) - 3.0).collect();
            let back = matrix.dot(&ndarray::Array1::from(factor.solve(&b)));
            assert!(back.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-12), "{back}");
            for (k, pivot) in factor.pivots().enumerate() {
                let x = ndarray::Array1::from(factor.direction(k));
                assert!((x.dot(&matrix.dot(&x)) - pivot).abs() < 1e-12 * (1.0 + pivot.abs()));
            }
        }
    }
}
