//! Sprites like those of dSprites (Matthey, Higgins, Hassabis and Lerchner 2017), drawn from their factors when they are asked for.
//!
//! 737,280 pictures of 64 × 64 pixels, one for each combination of colour (1), shape (3: square, ellipse, heart), scale (6),
//! orientation (40) and two positions (32 each), in this order, the last fastest. A pixel is 1 where its centre lies inside
//! the shape.
//!
//! Orientations 0 and 39 are the same picture; an ellipse nearly repeats after half a turn, a square after a quarter, so
//! orientation cannot be one linear code. The colour has one value and no entropy.

use std::f64::consts::TAU;

use crate::random::{Purpose, Stream};

/// Pixels along a side.
pub const SIDE: usize = 64;
/// Names of the factors.
pub const FACTORS: [&str; 6] = ["colour", "shape", "scale", "orientation", "x", "y"];
/// How many values each factor has.
pub const SIZES: [usize; 6] = [1, 3, 6, 40, 32, 32];
/// Pictures.
pub const COUNT: usize = 737_280;

/// What is drawn around the sprites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// White on black: `[64 · 64]` a picture.
    Plain,
    /// min(sprite + u, 1) with u uniform for each pixel and channel: `[64 · 64 · 3]` a picture.
    Noisy,
}

impl Style {
    /// Values of a picture.
    pub fn width(self) -> usize {
        match self {
            Self::Plain => SIDE * SIDE,
            Self::Noisy => 3 * SIDE * SIDE,
        }
    }

    /// The picture at an index, noise keyed by (seed, index).
    pub fn render(self, seed: u64, index: usize, out: &mut [f64]) {
        let sprite = sprite(&factors(index));
        match self {
            Self::Plain => out.iter_mut().zip(&sprite).for_each(|(out, on)| *out = f64::from(u8::from(*on))),
            Self::Noisy => {
                let mut stream = Stream::new(seed, Purpose::Noise, index as u64, self.width());
                for (out, on) in out.chunks_mut(3).zip(&sprite) {
                    out.iter_mut().for_each(|out| *out = (f64::from(u8::from(*on)) + stream.uniform()).min(1.0));
                }
            }
        }
    }
}

/// Indices of the factors of a picture: ((((shape·6 + scale)·40 + orientation)·32 + x)·32 + y).
pub fn factors(index: usize) -> [usize; 6] {
    let mut rest = index;
    let mut factors = [0; 6];
    for (factor, size) in factors.iter_mut().zip(SIZES).rev() {
        (*factor, rest) = (rest % size, rest / size);
    }
    factors
}

/// Pixels row by row from the top; whether each is inside.
pub fn sprite(&[_, shape, scale, orientation, x, y]: &[usize; 6]) -> Vec<bool> {
    let even = |i: usize, n: usize| i as f64 / (n - 1) as f64;
    let scale = 0.5 + 0.5 * even(scale, 6);
    let (sin, cos) = (TAU * even(orientation, 40)).sin_cos();
    let centre = |i: usize| 16.0 + 32.0 * even(i, 32);
    let (cx, cy) = (centre(x), centre(y));
    // No shape reaches further from its centre than this.
    let reach = 14.0;
    let mut pixels = vec![false; SIDE * SIDE];
    for row in (cy - reach) as usize..((cy + reach) as usize + 1).min(SIDE) {
        for column in (cx - reach) as usize..((cx + reach) as usize + 1).min(SIDE) {
            let (dx, dy) = (column as f64 + 0.5 - cx, row as f64 + 0.5 - cy);
            pixels[row * SIDE + column] = is_inside(shape, (cos * dx - sin * dy) / scale, (sin * dx + cos * dy) / scale);
        }
    }
    pixels
}

/// Whether a point lies in an upright shape of scale 1 around 0, y downward.
fn is_inside(shape: usize, x: f64, y: f64) -> bool {
    match shape {
        0 => x.abs() <= 9.6 && y.abs() <= 9.6,
        1 => (x / 12.8).powi(2) + (y / 7.2).powi(2) <= 1.0,
        // x = 9.6 sin³u, y = −0.66 (13 cos u − 5 cos 2u − 2 cos 3u − cos 4u) − 1.45, solved for sin u.
        _ => {
            if x.abs() > 9.6 {
                return false;
            }
            let q = (x.abs() / 9.6).cbrt();
            let c = (1.0 - q * q).max(0.0).sqrt();
            let even = -5.0 * (1.0 - 2.0 * q * q) - (8.0 * c.powi(4) - 8.0 * c * c + 1.0);
            let odd = 13.0 * c - 2.0 * (4.0 * c.powi(3) - 3.0 * c);
            (-0.66 * (even + odd) - 1.45..=-0.66 * (even - odd) - 1.45).contains(&y)
        }
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    /// White pixels of all sprites of a shape.
    fn white(shape: usize) -> usize {
        let each = COUNT / 3;
        (0..each).into_par_iter().map(|i| sprite(&factors(shape * each + i)).iter().filter(|on| **on).count()).sum()
    }

    #[test]
    fn the_whole_set_has_the_known_number_of_white_pixels() {
        let counts = [0, 1, 2].map(white);
        // Some pixel centres lie within rounding of an outline.
        for (count, expected) in counts.iter().zip([53_614_832_i64, 42_098_980, 32_562_394]) {
            assert!((*count as i64 - expected).abs() < 100, "{counts:?}");
        }
        let mean = counts.iter().sum::<usize>() as f64 / (COUNT * SIDE * SIDE) as f64;
        assert!((mean / 0.042_494_423_521_889_584 - 1.0).abs() < 0.002, "{mean}");
    }

    #[test]
    fn orientations_close_the_circle() {
        for shape in 0..3 {
            assert_eq!(sprite(&[0, shape, 5, 0, 7, 9]), sprite(&[0, shape, 5, 39, 7, 9]));
        }
        assert_eq!(factors(COUNT - 1), [0, 2, 5, 39, 31, 31]);
        assert_eq!(factors(33), [0, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn noise_is_keyed_and_saturates_on_the_sprite() {
        let mut pictures = [vec![0.0; Style::Noisy.width()], vec![0.0; Style::Noisy.width()]];
        pictures.iter_mut().for_each(|picture| Style::Noisy.render(3, 500_000, picture));
        assert_eq!(pictures[0], pictures[1]);
        let on = sprite(&factors(500_000));
        assert!(pictures[0].chunks(3).zip(&on).all(|(rgb, on)| rgb.iter().all(|x| *x <= 1.0 && (!on || *x == 1.0))));
        let dark: Vec<f64> = pictures[0].chunks(3).zip(&on).filter(|(_, on)| !**on).flat_map(|(rgb, _)| rgb.to_vec()).collect();
        assert!((dark.iter().sum::<f64>() / dark.len() as f64 - 0.5).abs() < 0.02);
    }
}
