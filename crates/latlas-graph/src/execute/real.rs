//! The number types that the executor computes in.
// Inlined into loops that are compiled for wider vectors than the rest.
#![allow(clippy::inline_always)]
// Arithmetic, whose results nobody forgets.
#![allow(clippy::return_self_not_must_use)]

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};
use std::sync::Arc;

use crate::Data;

/// `f32` or `f64`: arithmetic, conversions, the bits that the polynomial functions need and the scalar functions that the
/// standard library gives.
pub trait Real:
    super::kernels::product::Lanes
    + Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Not a number.
    const NAN: Self;
    /// +∞.
    const INFINITY: Self;
    /// The smallest normal number.
    const SMALLEST_NORMAL: Self;
    /// A power of two that makes every subnormal number normal, and its exponent.
    const LIFT: (Self, Self);
    /// Integers up to this one are exact.
    const LARGEST_INTEGER: usize;

    /// 1.5 · 2^(mantissa bits): adding and subtracting it rounds to an integer.
    const ROUNDER: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// ln 2 with trailing zero bits, so that small multiples of it are exact.
    const LN2_HIGH: Self;
    /// ln 2 less the above.
    const LN2_LOW: Self;
    /// exp is 0 below and ∞ above these.
    const EXP_RANGE: (Self, Self);
    /// expm1 is −1 to the last bit below this.
    const EXPM1_LOWEST: Self;
    /// tanh is 1 to the last bit above this.
    const TANH_HIGHEST: Self;
    /// 1/2!, 1/3!, … as many as |r| ≤ ln 2 / 2 needs.
    const EXP_TERMS: &'static [Self];
    /// 2/3, 2/5, … as many terms of log((1 + s) / (1 − s)) as |s| ≤ (√2 − 1) / (√2 + 1) needs.
    const LOG_TERMS: &'static [Self];
    /// 2/√π · (−1)^k / (k! (2k + 1)), as many as |x| ≤ 1 needs.
    const ERF_TERMS: &'static [Self];
    /// x · exp(x²) · erfc(x) for x ≥ 1 as a polynomial in (x − 2) / (x + 2), by interpolation in Chebyshev points.
    const ERFC_TERMS: &'static [Self];
    /// erf is 1 to the last bit above this.
    const ERF_HIGHEST: Self;
    /// π/2 in parts, all but the last with so many trailing zero bits that multiples up to [`Real::TURNS_LIMIT`] are exact.
    const HALF_PI: [Self; 4];
    /// π/2 less the number nearest to it.
    const HALF_PI_REST: Self;
    /// Angles beyond this are left to the standard library, which knows more digits of π.
    const TURNS_LIMIT: Self;
    /// −1/3!, 1/5!, … as many as |x| ≤ π/4 needs.
    const SIN_TERMS: &'static [Self];
    /// 1/4!, −1/6!, … as many as |x| ≤ π/4 needs.
    const COS_TERMS: &'static [Self];
    /// −1/3, 1/5, … as many as |x| ≤ tan π/8 needs.
    const ATAN_TERMS: &'static [Self];

    /// Rounds.
    fn from_f64(x: f64) -> Self;
    /// Widens.
    fn to_f64(self) -> f64;
    /// The elements of a constant where it is stored in this very type.
    fn shared(data: &Data) -> Option<Arc<[Self]>>;
    /// 2ⁿ for an integer n that stays among normal numbers.
    fn exp2i(n: Self) -> Self;
    /// x = m · 2ᵉ with m in [√½, √2), for positive normal x.
    fn split(self) -> (Self, Self);
    /// self · a + b, rounded once.
    fn fused(self, a: Self, b: Self) -> Self;
    /// The magnitude of self with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    #[allow(missing_docs)]
    fn abs(self) -> Self;
    #[allow(missing_docs)]
    fn sqrt(self) -> Self;
    #[allow(missing_docs)]
    fn sin(self) -> Self;
    #[allow(missing_docs)]
    fn cos(self) -> Self;
    #[allow(missing_docs)]
    fn tan(self) -> Self;
    #[allow(missing_docs)]
    fn asin(self) -> Self;
    #[allow(missing_docs)]
    fn acos(self) -> Self;
    #[allow(missing_docs)]
    fn atan(self) -> Self;
    #[allow(missing_docs)]
    fn sinh(self) -> Self;
    #[allow(missing_docs)]
    fn cosh(self) -> Self;
    #[allow(missing_docs)]
    fn asinh(self) -> Self;
    #[allow(missing_docs)]
    fn acosh(self) -> Self;
    #[allow(missing_docs)]
    fn atanh(self) -> Self;
    #[allow(missing_docs)]
    fn floor(self) -> Self;
    #[allow(missing_docs)]
    fn ceil(self) -> Self;
    #[allow(missing_docs)]
    fn round_ties_even(self) -> Self;
    #[allow(missing_docs)]
    fn trunc(self) -> Self;
    #[allow(missing_docs)]
    fn powf(self, exponent: Self) -> Self;
}

/// 1/2!, 1/3!, …
const fn exp_terms<const N: usize>() -> [f64; N] {
    let (mut terms, mut factorial, mut k) = ([0.0; N], 1.0, 0);
    while k < N {
        factorial *= (k + 2) as f64;
        terms[k] = 1.0 / factorial;
        k += 1;
    }
    terms
}

/// 2/3, 2/5, …
const fn log_terms<const N: usize>() -> [f64; N] {
    let (mut terms, mut k) = ([0.0; N], 0);
    while k < N {
        terms[k] = 2.0 / (2 * k + 3) as f64;
        k += 1;
    }
    terms
}

/// (−1)ᵏ / n! with n = first, first + 2, …
const fn alternating<const N: usize>(first: usize, mut sign: f64) -> [f64; N] {
    let (mut terms, mut k, mut n, mut factorial) = ([0.0; N], 0, 0, 1.0);
    while k < N {
        while n < first + 2 * k {
            n += 1;
            factorial *= n as f64;
        }
        terms[k] = sign / factorial;
        sign = -sign;
        k += 1;
    }
    terms
}

/// −1/3, 1/5, …
const fn atan_terms<const N: usize>() -> [f64; N] {
    let (mut terms, mut k, mut sign) = ([0.0; N], 0, -1.0);
    while k < N {
        terms[k] = sign / (2 * k + 3) as f64;
        sign = -sign;
        k += 1;
    }
    terms
}

/// 2/√π · (−1)^k / (k! (2k + 1))
const fn erf_terms<const N: usize>() -> [f64; N] {
    let (mut terms, mut factorial, mut k) = ([0.0; N], 1.0, 0);
    while k < N {
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        terms[k] = sign * std::f64::consts::FRAC_2_SQRT_PI / (factorial * (2 * k + 1) as f64);
        k += 1;
        factorial *= k as f64;
    }
    terms
}

const fn narrow<const N: usize>(wide: [f64; N]) -> [f32; N] {
    let (mut terms, mut k) = ([0.0; N], 0);
    while k < N {
        terms[k] = wide[k] as f32;
        k += 1;
    }
    terms
}

macro_rules! forward_to_std {
    ($float:ident: $($name:ident)*) => {
        $(#[inline(always)]
        fn $name(self) -> Self {
            $float::$name(self)
        })*
        #[inline(always)]
        fn powf(self, exponent: Self) -> Self {
            $float::powf(self, exponent)
        }
        #[inline(always)]
        fn fused(self, a: Self, b: Self) -> Self {
            self.mul_add(a, b)
        }
        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            $float::copysign(self, sign)
        }
    };
}

macro_rules! real {
    ($float:ident, $bits:ident, $signed:ident, mantissa $mantissa:literal, bias $bias:literal, stored as $stored:ident { $($constants:tt)* }) => {
        impl Real for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = $float::NAN;
            const INFINITY: Self = $float::INFINITY;
            const SMALLEST_NORMAL: Self = $float::MIN_POSITIVE;
            const LARGEST_INTEGER: usize = 1 << ($mantissa + 1);
            const ROUNDER: Self = 1.5 * (1u64 << $mantissa) as $float;
            const LOG2_E: Self = std::$float::consts::LOG2_E;
            $($constants)*

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn shared(data: &Data) -> Option<Arc<[Self]>> {
                if let Data::$stored(values) = data { Some(values.clone()) } else { None }
            }
            #[inline(always)]
            fn exp2i(n: Self) -> Self {
                // The low bits of n + ROUNDER are n in two's complement; the shift drops the others.
                $float::from_bits((n + Self::ROUNDER).to_bits().wrapping_add($bias) << $mantissa)
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                let (bits, half) = (self.to_bits() as $signed, std::$float::consts::FRAC_1_SQRT_2.to_bits() as $signed);
                let exponent = (bits - half) >> $mantissa;
                let m = $float::from_bits((bits - (exponent << $mantissa)) as $bits);
                // The same trick as in exp2i, backwards.
                let e = $float::from_bits(Self::ROUNDER.to_bits().wrapping_add(exponent as $bits)) - Self::ROUNDER;
                (m, e)
            }
            forward_to_std! { $float:
                abs sqrt sin cos tan asin acos atan sinh cosh asinh acosh atanh floor ceil round_ties_even trunc
            }
        }
    };
}

real!(f32, u32, i32, mantissa 23, bias 127, stored as F32 {
    const LIFT: (Self, Self) = (16777216.0, 24.0);
    const LN2_HIGH: Self = 0.693_359_4;
    const LN2_LOW: Self = -2.1219444e-4;
    const EXP_RANGE: (Self, Self) = (-105.0, 89.0);
    const EXPM1_LOWEST: Self = -20.0;
    const TANH_HIGHEST: Self = 10.0;
    const EXP_TERMS: &'static [Self] = &narrow(exp_terms::<6>());
    const LOG_TERMS: &'static [Self] = &narrow(log_terms::<5>());
    const ERF_TERMS: &'static [Self] = &narrow(erf_terms::<10>());
    const ERFC_TERMS: &'static [Self] = &[
        0.510_791_35, 0.167_211_01, -0.203_844_55, 0.121_514_83, -0.028_965_148, -0.007_511_154_6, 0.004_621_25, 0.001_059_750_8,
    ];
    const ERF_HIGHEST: Self = 4.0;
    const HALF_PI: [Self; 4] = [1.5703125, 4.837513e-4, 7.5495336e-8, 2.563344e-12];
    const HALF_PI_REST: Self = -4.371_139e-8;
    const TURNS_LIMIT: Self = 8192.0;
    const SIN_TERMS: &'static [Self] = &narrow(alternating::<4>(3, -1.0));
    const COS_TERMS: &'static [Self] = &narrow(alternating::<4>(4, 1.0));
    const ATAN_TERMS: &'static [Self] = &narrow(atan_terms::<9>());
});

real!(f64, u64, i64, mantissa 52, bias 1023, stored as F64 {
    const LIFT: (Self, Self) = (18014398509481984.0, 54.0);
    const LN2_HIGH: Self = 6.931_471_803_691_238e-1;
    const LN2_LOW: Self = 1.908_214_929_270_587_7e-10;
    const EXP_RANGE: (Self, Self) = (-746.0, 710.0);
    const EXPM1_LOWEST: Self = -40.0;
    const TANH_HIGHEST: Self = 22.0;
    const EXP_TERMS: &'static [Self] = &exp_terms::<13>();
    const LOG_TERMS: &'static [Self] = &log_terms::<11>();
    const ERF_TERMS: &'static [Self] = &erf_terms::<18>();
    const ERFC_TERMS: &'static [Self] = &[
        0.510_791_352_621_011_6, 0.167_211_010_414_106_4, -0.203_844_295_928_934_3, 0.121_514_930_524_561_75,
        -0.028_976_446_691_047_286, -0.007_515_738_414_096_665, 0.004_784_898_221_828_085, 0.001_126_658_378_941_799_4,
        -0.000_750_176_982_833_124, -0.000_314_364_223_022_284_5, 8.933_131_538_313_428e-5, 8.951_506_362_750_004e-5,
        6.696_544_287_420_562e-6, -2.040_983_341_166_979e-5, -9.110_532_651_906_852e-6, 5.573_166_263_030_918e-6,
    ];
    const ERF_HIGHEST: Self = 6.0;
    const HALF_PI: [Self; 4] = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32];
    const HALF_PI_REST: Self = 6.123_233_995_736_766e-17;
    const TURNS_LIMIT: Self = 1048576.0;
    const SIN_TERMS: &'static [Self] = &alternating::<8>(3, -1.0);
    const COS_TERMS: &'static [Self] = &alternating::<8>(4, 1.0);
    const ATAN_TERMS: &'static [Self] = &atan_terms::<21>();
});
