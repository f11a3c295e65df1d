//! A torus in ℝ³: x = ((R + r cos v) cos u, (R + r cos v) sin u, r sin v), u = z₁ around it, v = b z₂ around the tube.
//!
//! J has orthogonal columns of lengths R + r cos v and r b: the total correlation vanishes, H₁ = h₀ + E log(R + r cos v),
//! H₂ = h₀ + log(r b). With q = (R − √(R² − r²))/r the expectation is log((R + √(R² − r²))/2) − 2 Σₖ (−q)ᵏ exp(−k²b²/2)/k.

use ndarray::ArrayViewMut2;

use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "torus",
    title: "x = ((R + r cos v) cos u, (R + r cos v) sin u, r sin v), u = z₁, v = b z₂",
    parameters: &[
        Parameter { name: "R", default: "2", meaning: "from the centre to the middle of the tube" },
        Parameter { name: "r", default: "1", meaning: "radius of the tube, below R" },
        Parameter { name: "b", default: "0.5", meaning: "standard deviation of the angle around the tube" },
    ],
    source: include_str!("torus.rs"),
    make: |values| {
        let torus = Torus { centre: values.positive("R")?, tube: values.positive("r")?, spread: values.positive("b")? };
        if torus.tube < torus.centre { Ok(Box::new(torus)) } else { Err(values.wrong("r", "below R")) }
    },
};

/// x = ((R + r cos v) cos u, (R + r cos v) sin u, r sin v).
#[derive(Debug, Clone, Copy)]
pub struct Torus {
    /// R, from the centre to the middle of the tube.
    pub centre: f64,
    /// r, radius of the tube, 0 < r < R.
    pub tube: f64,
    /// b > 0, standard deviation of v.
    pub spread: f64,
}

impl Map for Torus {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let (r, b) = (self.tube, self.spread);
        let ((sin_u, cos_u), (sin_v, cos_v)) = (z[0].sin_cos(), (b * z[1]).sin_cos());
        let ring = self.centre + r * cos_v;
        x.copy_from_slice(&[ring * cos_u, ring * sin_u, r * sin_v]);
        let around = [-ring * sin_u, ring * cos_u, 0.0];
        let tube = [-r * b * sin_v * cos_u, -r * b * sin_v * sin_u, r * b * cos_v];
        columns.assign(&ndarray::arr2(&[around, tube]));
    }

    fn truth(&self) -> Truth {
        // The Fourier series of log(R + r cos v), with E cos kbz = exp(−k²b²/2); its terms fall faster than qᵏ.
        let (centre, r, b) = (self.centre, self.tube, self.spread);
        let root = ((centre - r) * (centre + r)).sqrt();
        let q = r / (centre + root);
        let term = |k: u32| (-q).powi(k as i32) * (-0.5 * (f64::from(k) * b).powi(2)).exp() / f64::from(k);
        let terms = (1..100_000).map(term).take_while(|term| term.abs() > 1e-18);
        let log_ring = (0.5 * (centre + root)).ln() - 2.0 * terms.sum::<f64>();
        Truth::orthogonal(vec![log_ring, (r * b).ln()])
    }
}
