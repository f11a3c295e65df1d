//! A Swiss roll in ℝ³: x = (t cos t, h z₂, t sin t), t = t₀ + s z₁.
//!
//! J has orthogonal columns of lengths s √(1 + t²) and h: the total correlation vanishes, H₁ = h₀ + log s + ½ E log(1 + t²),
//! H₂ = h₀ + log h. The sheet is rolled without being stretched, so its metric is flat.

use std::f64::consts::{FRAC_PI_2, PI};

use ndarray::ArrayViewMut2;

use super::expectation::normal_mean;
use super::{Entry, Map, Parameter, Truth};

pub(super) const ENTRY: Entry = Entry {
    id: "swiss-roll",
    title: "x = (t cos t, h z₂, t sin t), t = t₀ + s z₁",
    parameters: &[
        Parameter { name: "t0", default: "9.42477796076938", meaning: "where the middle of the sheet lies on the roll, in radians" },
        Parameter { name: "s", default: "1.5707963267948966", meaning: "standard deviation of t" },
        Parameter { name: "h", default: "5", meaning: "standard deviation of the height" },
    ],
    source: include_str!("swiss_roll.rs"),
    make: |values| Ok(Box::new(SwissRoll { middle: values.number("t0")?, spread: values.positive("s")?, height: values.positive("h")? })),
};

/// x = (t cos t, h z₂, t sin t), t = t₀ + s z₁.
#[derive(Debug, Clone, Copy)]
pub struct SwissRoll {
    /// t₀.
    pub middle: f64,
    /// s > 0.
    pub spread: f64,
    /// h > 0.
    pub height: f64,
}

impl Default for SwissRoll {
    fn default() -> Self {
        Self { middle: 3.0 * PI, spread: FRAC_PI_2, height: 5.0 }
    }
}

impl Map for SwissRoll {
    fn latent_dim(&self) -> usize {
        2
    }

    fn ambient_dim(&self) -> usize {
        3
    }

    fn point(&self, z: &[f64], x: &mut [f64], mut columns: ArrayViewMut2<'_, f64>) {
        let t = self.middle + self.spread * z[0];
        let (sin, cos) = t.sin_cos();
        x.copy_from_slice(&[t * cos, self.height * z[1], t * sin]);
        let along = [self.spread * (cos - t * sin), 0.0, self.spread * (sin + t * cos)];
        columns.assign(&ndarray::arr2(&[along, [0.0, self.height, 0.0]]));
    }

    fn truth(&self) -> Truth {
        // log(1 + t²) is singular at t = ±i.
        let (middle, spread) = (self.middle, self.spread);
        let log_stretch = normal_mean(-middle / spread, spread.max(1.0).recip(), |z| 0.5 * (middle + spread * z).powi(2).ln_1p());
        Truth::orthogonal(vec![spread.ln() + log_stretch, self.height.ln()])
    }
}
