//! Special functions: normal, Student and χ² distributions, digamma and trigamma.

use std::cell::Cell;

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// h₀ = ½ log(2πe): the entropy in nats of one standard normal latent.
pub const NORMAL_ENTROPY: f64 = 1.418_938_533_204_672_7;

/// ½ log(2π).
pub const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// The standard normal quantile Φ⁻¹(p), 0 < p < 1, to about 16 digits.
///
/// Rational approximations of M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988), p. 477.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180625 - q * q, &CENTRE);
    }
    let tail = (-p.min(1.0 - p).ln()).sqrt();
    let x = if tail <= 5.0 { ratio(tail - 1.6, &MIDDLE) } else { ratio(tail - 5.0, &FAR) };
    x.copysign(q)
}

/// The standard normal distribution function Φ(x), to about 11 digits.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The quantile of Student's t with `freedom` degrees of freedom, to about 1e-9.
///
/// Entries of a matrix mostly have the same count, so each thread remembers its last answer.
pub fn student_quantile(p: f64, freedom: f64) -> f64 {
    thread_local!(static LAST: Cell<[f64; 3]> = const { Cell::new([f64::NAN; 3]) });
    let [last_p, last_freedom, quantile] = LAST.get();
    if (last_p, last_freedom) == (p, freedom) {
        return quantile;
    }
    let quantile = student_quantile_anew(p, freedom);
    LAST.set([p, freedom, quantile]);
    quantile
}

fn student_quantile_anew(p: f64, freedom: f64) -> f64 {
    if freedom > 200.0 {
        // Abramowitz and Stegun (1964), 26.7.5.
        let z = normal_quantile(p);
        let (z2, v) = (z * z, 1.0 / freedom);
        let first = (z2 + 1.0) / 4.0;
        let second = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
        let third = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
        return z * (1.0 + v * (first + v * (second + v * third)));
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(p))
}

/// The probability that χ² with `freedom` degrees of freedom exceeds x; 1 without freedom.
pub fn chi_square_tail(x: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(1.0, |law| law.sf(x))
}

/// ψ(x) = d/dx log Γ(x), x > 0.
pub fn digamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32760.0)))));
    shift + x.ln() - 0.5 / x - series
}

/// ψ₁(x) = d²/dx² log Γ(x), x > 0.
pub fn trigamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y * (1.0 / 30.0 - y * (5.0 / 66.0 - y * 691.0 / 2730.0)))));
    shift + (1.0 + series) / x + 0.5 * y
}

/// Numerator and denominator, ascending powers.
type Ratio = ([f64; 8], [f64; 8]);

fn ratio(x: f64, (numerator, denominator): &Ratio) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    horner(numerator) / horner(denominator)
}

const CENTRE: Ratio = (
    [
        3.387_132_872_796_366_6,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);
const MIDDLE: Ratio = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Ratio = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{LN_2, PI};

    const EULER: f64 = 0.577_215_664_901_532_9;

    #[test]
    fn quantile_inverts_the_distribution_function() {
        // The reference is good to about 11 digits, and p near 1 says little about the tail.
        for x in [-8.0, -6.5, -3.0, -1.2, -0.3, 0.0, 1e-3, 0.7, 1.9, 4.0] {
            let p = 0.5 * statrs::function::erf::erfc(-x / std::f64::consts::SQRT_2);
            assert!((normal_quantile(p) - x).abs() < 1e-10, "{x}: {}", normal_quantile(p));
        }
        // Tabulated quantiles, and Φ(−3).
        assert!((normal_quantile(0.001_349_898_031_630_094_6) + 3.0).abs() < 1e-14);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((normal_quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-13);
        assert!((normal_quantile(1e-20) + 9.262_340_089_798_409).abs() < 1e-13);
    }

    #[test]
    fn digamma_and_trigamma_at_known_points() {
        assert!((digamma(1.0) + EULER).abs() < 1e-14);
        assert!((digamma(0.5) + EULER + 2.0 * LN_2).abs() < 1e-14);
        assert!((trigamma(1.0) - PI * PI / 6.0).abs() < 1e-14);
        assert!((trigamma(0.5) - PI * PI / 2.0).abs() < 1e-14);
        assert!((digamma(784.0 / 2.0) - digamma(783.0 / 2.0) - 2.0 * 0.000_638_977_37).abs() < 1e-10);
    }

    #[test]
    fn student_quantile_at_tabulated_points() {
        assert!((student_quantile(0.975, 9.0) - 2.262_157_162_740_992).abs() < 1e-8);
        assert!((student_quantile(0.975, 1e6) - 1.959_966_356_8).abs() < 1e-9);
        // Both ways of computing it meet.
        assert!((student_quantile(0.975, 200.5) - student_quantile(0.975, 199.5) + 0.000_060).abs() < 1e-6);
    }
}
