//! Colours that keep their order in grey and for the colour-blind, and the names under which a page may exchange them.

/// A colour as 8-bit sRGB.
pub type Rgb = [u8; 3];

/// Cividis (Nuñez, Anderton and Renslow 2018) at ten even steps: looks the same with and without colour blindness.
const CIVIDIS: [Rgb; 10] = [
    [0, 32, 77],
    [0, 51, 111],
    [57, 72, 107],
    [87, 92, 109],
    [112, 113, 115],
    [138, 135, 121],
    [166, 157, 117],
    [196, 181, 108],
    [228, 207, 91],
    [255, 234, 70],
];

/// Okabe and Ito's colours for unordered classes, black and yellow replaced (they drown in dark and light pages), and two more.
pub const CLASSES: [Rgb; 10] = [
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [213, 94, 0],
    [86, 180, 233],
    [136, 34, 85],
    [153, 153, 51],
    [110, 110, 120],
    [70, 60, 160],
];

/// How a number becomes a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// Ordered, blue to yellow.
    Cividis,
    /// Signed: blue, white, red, with lightness falling evenly to both sides.
    Signed,
}

impl Map {
    /// The colour at `t` in 0..1 (outside: the ends; NaN: mid grey).
    pub fn at(self, t: f64) -> Rgb {
        if t.is_nan() {
            return [128, 128, 128];
        }
        let t = t.clamp(0.0, 1.0);
        match self {
            Self::Cividis => between(&CIVIDIS, t),
            Self::Signed => signed(2.0 * t - 1.0),
        }
    }
}

fn between(steps: &[Rgb], t: f64) -> Rgb {
    let place = t * (steps.len() - 1) as f64;
    let low = (place.floor() as usize).min(steps.len() - 2);
    let share = place - low as f64;
    std::array::from_fn(|c| (f64::from(steps[low][c]) * (1.0 - share) + f64::from(steps[low + 1][c]) * share).round() as u8)
}

/// A signed colour built in the OKLab space (Ottosson 2020): lightness falls linearly with |t|, chroma rises and ebbs.
fn signed(t: f64) -> Rgb {
    let strength = t.abs();
    let lightness = 0.975 - 0.575 * strength;
    let hue: f64 = if t < 0.0 { 256.0 } else { 33.0 };
    let chroma = 0.155 * (std::f64::consts::FRAC_PI_2 * strength).sin();
    let (sin, cos) = hue.to_radians().sin_cos();
    from_oklab([lightness, chroma * cos, chroma * sin])
}

fn from_oklab([lightness, a, b]: [f64; 3]) -> Rgb {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    linear.map(|c| {
        let c = c.clamp(0.0, 1.0);
        let encoded = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
        (255.0 * encoded).round() as u8
    })
}

/// `#rrggbb`.
pub fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text and lines; follows the page's theme.
pub const INK: &str = "var(--ink, #1c2024)";
/// Secondary text.
pub const MUTED: &str = "var(--muted, #60646c)";
/// Grid lines and frames.
pub const RULE: &str = "var(--rule, #dfe2e6)";
/// What the eye should find first.
pub const ACCENT: &str = "var(--accent, #0b68a8)";
/// The same, as a soft area.
pub const ACCENT_SOFT: &str = "var(--accent-soft, #cfe3f3)";
/// Reference lines.
pub const REFERENCE: &str = "var(--reference, #b4530a)";
/// The paper.
pub const PAPER: &str = "var(--paper, #ffffff)";

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (sRGB, D65) to the power of 1/3: what the eye takes for lightness.
    fn lightness(colour: Rgb) -> f64 {
        let linear = colour.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]).cbrt()
    }

    #[test]
    fn the_ordered_map_is_ordered_in_grey() {
        let grey: Vec<f64> = (0..=50).map(|i| lightness(Map::Cividis.at(f64::from(i) / 50.0))).collect();
        assert!(grey.windows(2).all(|w| w[1] > w[0]), "{grey:?}");
    }

    #[test]
    fn the_signed_map_is_symmetric_and_white_in_the_middle() {
        let centre = Map::Signed.at(0.5);
        assert!(centre.iter().all(|c| *c > 240), "{centre:?}");
        for i in 1..=10 {
            let t = f64::from(i) / 20.0;
            let (low, high) = (lightness(Map::Signed.at(0.5 - t)), lightness(Map::Signed.at(0.5 + t)));
            assert!((low - high).abs() < 0.035, "{t}: {low} {high}");
            assert!(low < lightness(Map::Signed.at(0.5 - t + 0.05)));
        }
        assert_ne!(Map::Signed.at(0.0), Map::Signed.at(1.0));
        assert_eq!(Map::Cividis.at(f64::NAN), [128; 3]);
    }
}
