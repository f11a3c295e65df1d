//! Pieces of a curve: how the energy ∫ |dF/dt|² follows from the values of F at equal times.
//!
//! On a piece of p segments F is the polynomial y of degree p through its p + 1 values. |y′|² has degree 2p − 2, so the rule of Gauss with p
//! points gives its integral exactly: ∫ |y′|² = Σ |t_q|² with t = B F, B `[p, p + 1]`. One segment a piece has the chords, whose energy is too
//! small by a share that falls like N⁻²; four segments a piece (Lagrange, 1795) are off by N⁻⁶ where the curve is smooth.

use ndarray::{Array1, Array2, ArrayView2};

/// Pieces of p segments, times in units of a segment.
pub struct Pieces {
    p: usize,
    /// B.
    weights: Array2<f64>,
    /// BᵀB.
    stiffness: Array2<f64>,
}

/// Points and weights of Gauss on [−1, 1].
const ONE: [(f64, f64); 1] = [(0.0, 2.0)];
const FOUR: [(f64, f64); 4] = [
    (-0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
    (-0.339_981_043_584_856_3, 0.652_145_154_862_546_2),
    (0.339_981_043_584_856_3, 0.652_145_154_862_546_2),
    (0.861_136_311_594_052_6, 0.347_854_845_137_453_85),
];

impl Pieces {
    /// Chords.
    pub fn chords() -> Self {
        Self::new(&ONE)
    }

    /// Four segments a piece where N of them are two such pieces or more, otherwise chords.
    pub fn smooth(segments: usize) -> Self {
        if segments >= 8 && segments.is_multiple_of(4) { Self::new(&FOUR) } else { Self::chords() }
    }

    fn new(rule: &[(f64, f64)]) -> Self {
        let p = rule.len();
        let half = 0.5 * p as f64;
        let weights = Array2::from_shape_fn((p, p + 1), |(q, j)| (half * rule[q].1).sqrt() * slope(p, j, half * (rule[q].0 + 1.0)));
        let stiffness = weights.t().dot(&weights);
        Self { p, weights, stiffness }
    }

    /// Segments a piece.
    pub fn segments(&self) -> usize {
        self.p
    }

    /// B F of all pieces, for the values of F at all nodes: `[N + 1, m]` → `[N, m]`.
    pub fn steps(&self, images: ArrayView2<'_, f64>) -> Array2<f64> {
        let (nodes, m) = images.dim();
        let mut steps = Array2::zeros((nodes - 1, m));
        for (i, mut step) in steps.outer_iter_mut().enumerate() {
            let (first, q) = (i / self.p * self.p, i % self.p);
            for j in 1..=self.p {
                // Rows of B add up to zero, and differences of values keep more digits.
                step.scaled_add(self.weights[[q, j]], &(&images.row(first + j) - &images.row(first)));
            }
        }
        steps
    }

    /// Bᵀ t at one node: half the gradient of Σ |t|² with respect to F there.
    pub fn pull(&self, steps: &Array2<f64>, node: usize) -> Array1<f64> {
        let (n, m) = steps.dim();
        let mut pulled = Array1::zeros(m);
        let mut add = |first: usize| {
            for q in 0..self.p {
                pulled.scaled_add(self.weights[[q, node - first]], &steps.row(first + q));
            }
        };
        let first = node / self.p * self.p;
        if node == first && node > 0 {
            add(first - self.p);
        }
        if first < n {
            add(first);
        }
        pulled
    }

    /// The first node whose values share a piece with an earlier node's: of the piece that ends at `node` or goes through it.
    pub fn first(&self, node: usize) -> usize {
        (node - 1) / self.p * self.p
    }

    /// The entry of BᵀB, summed over pieces, that joins `node` with an earlier one of its piece, or with itself (not at an end).
    pub fn stiffness(&self, earlier: usize, node: usize) -> f64 {
        let first = self.first(node);
        let own = self.stiffness[[earlier - first, node - first]];
        if earlier == node && node - first == self.p { own + self.stiffness[[0, 0]] } else { own }
    }

    /// ċ(0) of the polynomial through the first nodes, given how much each inner node moves (a does not): a share for each.
    pub fn start(&self) -> Vec<f64> {
        // One degree more than a chord has.
        let p = self.p.max(2);
        (1..=p).map(|j| slope(p, j, 0.0)).collect()
    }
}

/// The derivative at t of the polynomial of degree p that is 1 at j and 0 at the other whole numbers up to p.
fn slope(p: usize, j: usize, t: f64) -> f64 {
    let at = |k: usize| k as f64;
    let without = |i: usize| (0..=p).filter(|k| *k != i && *k != j).map(|k| (t - at(k)) / (at(j) - at(k))).product::<f64>();
    (0..=p).filter(|i| *i != j).map(|i| without(i) / (at(j) - at(i))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫₀¹ |y′|² is exact for a polynomial of degree four, its pull is the gradient, and what joins two nodes is the second derivative.
    #[test]
    fn quartics_are_exact() {
        let n = 8;
        let pieces = Pieces::smooth(n);
        assert_eq!((pieces.segments(), Pieces::smooth(6).segments(), Pieces::smooth(4).segments()), (4, 1, 1));
        let images = Array2::from_shape_fn((n + 1, 1), |(i, _)| (i as f64 / n as f64).powi(4) + 7.0);
        let energy = |images: &Array2<f64>| n as f64 * pieces.steps(images.view()).iter().map(|t| t * t).sum::<f64>();
        assert!((energy(&images) - 16.0 / 7.0).abs() < 1e-13, "{}", energy(&images));
        for node in 0..=n {
            let moved = |by: f64| Array2::from_shape_fn(images.dim(), |(i, k)| images[[i, k]] + if i == node { by } else { 0.0 });
            let slope = (energy(&moved(1e-3)) - energy(&moved(-1e-3))) / 2e-3;
            let pulled = 2.0 * n as f64 * pieces.pull(&pieces.steps(images.view()), node)[0];
            assert!((slope - pulled).abs() < 1e-8 * (1.0 + slope.abs()), "{node}: {slope} {pulled}");
            if node == 0 || node == n {
                continue;
            }
            for earlier in pieces.first(node)..=node {
                let both = |a: f64, b: f64| {
                    let mut both = moved(a);
                    both[[earlier, 0]] += b;
                    energy(&both)
                };
                let h = 0.5;
                let mixed = (both(h, h) - both(h, -h) - both(-h, h) + both(-h, -h)) / (4.0 * h * h);
                let told = 2.0 * n as f64 * pieces.stiffness(earlier, node);
                assert!((mixed - told).abs() < 1e-9 * told.abs().max(1.0), "{earlier} {node}: {mixed} {told}");
            }
        }
        let start: f64 = pieces.start().iter().enumerate().map(|(k, share)| share * (k as f64 + 1.0).powi(3)).sum();
        assert!(start.abs() < 1e-12, "the slope of t³ at 0: {start}");
        assert_eq!(Pieces::chords().start(), [2.0, -0.5]);
    }
}
