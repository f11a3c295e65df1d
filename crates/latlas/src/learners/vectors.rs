//! Loops over many numbers as the widest vectors of the machine, and eˣ in a form that compilers turn into vectors.

/// 1.5·2⁵²: adding it rounds to a whole number, which then stands in the low bits.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, the first with zeros at its end so that small multiples of it are exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// What `f` gives, compiled anew for the widest vectors of this machine. Products and sums are not contracted, so it gives the same bits as
/// elsewhere. `f` itself and what is called in it must be
/// marked `#[inline(always)]` to share in that.
#[inline(always)]
pub fn wide<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// eˣ to two units of the last digit; x is held between −708 and 709.
///
/// ```text
/// eˣ = 2ᵏ eʳ,   k = round(x / ln 2),   |r| ≤ ½ ln 2,   eʳ by its series up to r¹²
/// ```
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * std::f64::consts::LOG2_E + ROUNDING;
    let k = shifted - ROUNDING;
    let r = x - k * LN_2[0] - k * LN_2[1];
    let q = r * r;
    // Constants are divided when this is compiled: no division is left.
    let even = q * (1.0 / 40_320.0 + q * (1.0 / 3_628_800.0 + q * (1.0 / 479_001_600.0)));
    let even = 1.0 + q * (1.0 / 2.0 + q * (1.0 / 24.0 + q * (1.0 / 720.0 + even)));
    let odd = q * (1.0 / 5_040.0 + q * (1.0 / 362_880.0 + q * (1.0 / 39_916_800.0)));
    let odd = 1.0 + q * (1.0 / 6.0 + q * (1.0 / 120.0 + odd));
    (even + r * odd) * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_standard_library_says() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) / 100.0 + 1e-5 * f64::from(i % 7);
            let expected = x.exp();
            assert!((exp(x) - expected).abs() <= 5e-16 * expected, "{x}: {} {expected}", exp(x));
        }
        assert_eq!((exp(0.0), exp(-1e9)), (1.0, exp(-708.0)));
        assert!(exp(f64::MAX).is_finite());
    }
}
