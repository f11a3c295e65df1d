//! A flat piece of a latent space, and a decoder seen on it alone.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, ArrayViewMut1};

use super::decoder::{Cost, Decoder, Linearization, Smoothness};
use crate::error::{Error, Result};

/// A flat piece z = o + Σ sᵢ bᵢ of a latent space, with orthonormal directions bᵢ: distances in s are distances in z.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineSubspace {
    /// o `[d]`.
    pub origin: Array1<f64>,
    /// bᵢ in rows `[k, d]`.
    pub basis: Array2<f64>,
}

/// Points count as dependent where one lies this near to the span of the others, beside its distance from the first.
const DEPENDENT: f64 = 1e-9;

impl AffineSubspace {
    /// The whole of a latent space of k dimensions.
    pub fn whole(k: usize) -> Self {
        Self { origin: Array1::zeros(k), basis: Array2::eye(k) }
    }

    /// Through k + 1 points `[k + 1, d]`. The first is its origin, the second lies along b₁, and bᵢ leads to the side of point i.
    ///
    /// # Errors
    /// Points of which one lies in the span of those before it, or that are not finite.
    pub fn through(points: ArrayView2<'_, f64>) -> Result<Self> {
        let origin = points.row(0).to_owned();
        let mut basis: Vec<Array1<f64>> = Vec::new();
        for (number, point) in points.outer_iter().enumerate().skip(1) {
            let mut rest = &point - &origin;
            let length = rest.dot(&rest).sqrt();
            // Twice, so that what is left is orthogonal to rounding.
            for _ in 0..2 {
                for b in &basis {
                    let along = b.dot(&rest);
                    rest.scaled_add(-along, b);
                }
            }
            let left = rest.dot(&rest).sqrt();
            // Not finite values fail this comparison too.
            if !(left > DEPENDENT * length && left.is_finite()) {
                let what = format!(
                    "{} points span no flat piece of {} dimensions: number {number} lies among the others",
                    points.nrows(),
                    points.nrows() - 1
                );
                return Err(Error::Input { what, hint: Some("give points that differ and do not lie on a line".into()) });
            }
            basis.push(rest / left);
        }
        let rows: Vec<ArrayView1<'_, f64>> = basis.iter().map(|b| b.view()).collect();
        let basis = ndarray::stack(ndarray::Axis(0), &rows).unwrap_or_else(|_| Array2::zeros((0, points.ncols())));
        Ok(Self { origin, basis })
    }

    /// k.
    pub fn dim(&self) -> usize {
        self.basis.nrows()
    }

    /// z of s: `[n, k]` → `[n, d]`.
    pub fn points(&self, s: ArrayView2<'_, f64>) -> Array2<f64> {
        s.dot(&self.basis) + &self.origin
    }

    /// s of the foot of each z: `[n, d]` → `[n, k]`.
    pub fn coordinates(&self, z: ArrayView2<'_, f64>) -> Array2<f64> {
        (&z - &self.origin).dot(&self.basis.t())
    }

    /// Σ vᵢ bᵢ: `[n, m, k]` → `[n, m, d]`.
    pub fn vectors(&self, v: ArrayView3<'_, f64>) -> Array3<f64> {
        mapped(v, self.basis.ncols(), |v, mut out| out.assign(&v.dot(&self.basis)))
    }

    /// ⟨bᵢ, u⟩: `[n, m, d]` → `[n, m, k]`.
    pub fn components(&self, u: ArrayView3<'_, f64>) -> Array3<f64> {
        mapped(u, self.dim(), |u, mut out| out.assign(&self.basis.dot(&u)))
    }

    /// b at each of n points: `[n, k, d]`.
    pub fn bases(&self, n: usize) -> Array3<f64> {
        let (k, d) = self.basis.dim();
        Array3::from_shape_fn((n, k, d), |(_, i, j)| self.basis[[i, j]])
    }
}

fn mapped(v: ArrayView3<'_, f64>, width: usize, of: impl Fn(ArrayView1<'_, f64>, ArrayViewMut1<'_, f64>)) -> Array3<f64> {
    let mut all = Array3::zeros((v.dim().0, v.dim().1, width));
    ndarray::Zip::from(v.lanes(ndarray::Axis(2))).and(all.lanes_mut(ndarray::Axis(2))).for_each(of);
    all
}

/// A decoder on a flat piece of its latents: s ↦ f(o + Σ sᵢ bᵢ).
pub struct Section<'a> {
    decoder: &'a dyn Decoder,
    subspace: &'a AffineSubspace,
}

impl<'a> Section<'a> {
    /// Of a decoder with as many latents as the piece has coordinates.
    pub fn new(decoder: &'a dyn Decoder, subspace: &'a AffineSubspace) -> Self {
        Self { decoder, subspace }
    }
}

impl Decoder for Section<'_> {
    fn latent_dim(&self) -> usize {
        self.subspace.dim()
    }

    fn condition_dim(&self) -> Option<usize> {
        self.decoder.condition_dim()
    }

    fn ambient_shape(&self) -> &[usize] {
        self.decoder.ambient_shape()
    }

    fn linearize<'a>(&'a self, s: ArrayView2<'_, f64>, condition: Option<ArrayView2<'_, f64>>) -> Result<Box<dyn Linearization + 'a>> {
        let whole = self.decoder.linearize(self.subspace.points(s).view(), condition)?;
        Ok(Box::new(OnSection { whole, subspace: self.subspace, points: s.nrows() }))
    }

    fn has_kinks(&self) -> bool {
        self.decoder.has_kinks()
    }

    fn has_second_derivatives(&self) -> bool {
        self.decoder.has_second_derivatives()
    }

    fn smoothness(&self) -> Result<Smoothness> {
        self.decoder.smoothness()
    }

    fn cost(&self) -> Cost {
        let decode = self.decoder.cost().decode;
        // A pair of primal and tangent costs about three decodes the first time, and two for each further tangent.
        Cost { decode, jacobian: (1 + 2 * self.subspace.dim()) as f64 * decode }
    }
}

/// What [`Section`] linearises to: the chain rule, with a constant inner derivative.
struct OnSection<'a> {
    whole: Box<dyn Linearization + 'a>,
    subspace: &'a AffineSubspace,
    points: usize,
}

impl Linearization for OnSection<'_> {
    fn decoded(&self) -> Result<&Array2<f64>> {
        self.whole.decoded()
    }

    fn jvp(&self, tangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        self.whole.jvp(self.subspace.vectors(tangents).view())
    }

    fn vjp(&self, cotangents: ArrayView3<'_, f64>) -> Result<Array3<f64>> {
        Ok(self.subspace.components(self.whole.vjp(cotangents)?.view()))
    }

    fn columns(&self) -> Result<Array3<f64>> {
        self.whole.jvp(self.subspace.bases(self.points).view())
    }

    fn second(&self, directions: ArrayView3<'_, f64>) -> Result<[Array3<f64>; 2]> {
        self.whole.second(self.subspace.vectors(directions).view())
    }

    fn hessian(&self, weights: ArrayView2<'_, f64>) -> Result<Array3<f64>> {
        let whole = self.whole.hessian(weights)?;
        let k = self.subspace.dim();
        let mut hessian = Array3::zeros((self.points, k, k));
        for (whole, mut own) in whole.outer_iter().zip(hessian.outer_iter_mut()) {
            own.assign(&self.subspace.basis.dot(&whole).dot(&self.subspace.basis.t()));
        }
        Ok(hessian)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn planes_go_through_their_points() {
        let points = array![[1.0, 2.0, 0.0, -1.0], [1.0, 2.0, 3.0, 3.0], [2.0, 2.0, 3.0, -1.0]];
        let plane = AffineSubspace::through(points.view()).unwrap();
        let s = plane.coordinates(points.view());
        // The second point is 5 away along the first direction; the third to the positive side of the other.
        let expected = array![[0.0, 0.0], [5.0, 0.0], [1.8, (10.0f64 - 1.8 * 1.8).sqrt()]];
        assert!((&s - &expected).iter().all(|e| e.abs() < 1e-14), "{s}");
        assert!((plane.points(s.view()) - &points).iter().all(|e| e.abs() < 1e-14));
        assert!((plane.basis.dot(&plane.basis.t()) - Array2::<f64>::eye(2)).iter().all(|e| e.abs() < 1e-15));
    }

    #[test]
    fn points_on_a_line_span_no_plane() {
        for points in [
            array![[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]],
            array![[0.0, 1.0], [0.0, 1.0], [3.0, 0.0]],
            array![[0.0, 1.0], [f64::NAN, 1.0], [3.0, 0.0]],
        ] {
            let error = AffineSubspace::through(points.view()).unwrap_err().to_string();
            assert!(error.contains("lies among the others"), "{error}");
        }
    }
}
