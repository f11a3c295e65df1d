//! Elementary functions as straight-line arithmetic, so that loops over them become vector code.
//!
//! Each is written once for `f32` and `f64`; `FUSED` says whether the machine has a fused multiply-add. Largest errors, in
//! units in the last place (tested below): exp and log 1, log1p and expm1 2, sin, cos and atan 2.5, tanh, sigmoid, softplus and erf 3.

// A function is compiled for the vectors of the loop that it is inlined into, so it must be.
#![allow(clippy::inline_always)]
#![cfg_attr(test, allow(clippy::excessive_precision))] // References are written with all the digits they were computed with.

use crate::execute::Real;

#[inline(always)]
fn mul_add<T: Real, const FUSED: bool>(a: T, b: T, c: T) -> T {
    if FUSED { a.fused(b, c) } else { a * b + c }
}

/// Σ terms[k] xᵏ
#[inline(always)]
fn polynomial<T: Real, const FUSED: bool>(terms: &[T], x: T) -> T {
    let mut sum = terms[terms.len() - 1];
    for &term in terms[..terms.len() - 1].iter().rev() {
        sum = mul_add::<T, FUSED>(sum, x, term);
    }
    sum
}

/// x = n ln 2 + r with |r| ≤ ln 2 / 2; gives n and eʳ − 1.
#[inline(always)]
fn reduced_expm1<T: Real, const FUSED: bool>(x: T) -> (T, T) {
    let n = (x * T::LOG2_E + T::ROUNDER) - T::ROUNDER;
    let r = mul_add::<T, FUSED>(-n, T::LN2_HIGH, x);
    let r = mul_add::<T, FUSED>(-n, T::LN2_LOW, r);
    (n, mul_add::<T, FUSED>(r * r, polynomial::<T, FUSED>(T::EXP_TERMS, r), r))
}

/// eˣ
#[inline(always)]
pub fn exp<T: Real, const FUSED: bool>(x: T) -> T {
    // Comparisons rather than min and max, which would lose a NaN.
    let x = if x < T::EXP_RANGE.0 { T::EXP_RANGE.0 } else { x };
    let x = if x > T::EXP_RANGE.1 { T::EXP_RANGE.1 } else { x };
    let (n, e) = reduced_expm1::<T, FUSED>(x);
    // In two factors, since 2ⁿ alone may be no normal number where the result is one.
    let half = (n * T::from_f64(0.5) + T::ROUNDER) - T::ROUNDER;
    (e + T::ONE) * T::exp2i(half) * T::exp2i(n - half)
}

/// eˣ − 1
#[inline(always)]
pub fn expm1<T: Real, const FUSED: bool>(x: T) -> T {
    let low = if x < T::EXPM1_LOWEST { T::EXPM1_LOWEST } else { x };
    let low = if low > T::EXP_RANGE.1 { T::EXP_RANGE.1 } else { low };
    let (n, e) = reduced_expm1::<T, FUSED>(low);
    let half = T::exp2i(n - T::ONE);
    let y = mul_add::<T, FUSED>(half, e, half - T::from_f64(0.5));
    // x itself where x² is below the last place: keeps −0 and subnormal numbers.
    if x == T::ZERO { x } else { y + y }
}

/// tanh x = m / (m + 2) with m = e^(2|x|) − 1, which is accurate near 0.
#[inline(always)]
pub fn tanh<T: Real, const FUSED: bool>(x: T) -> T {
    let a = x.abs();
    let a = if a > T::TANH_HIGHEST { T::TANH_HIGHEST } else { a };
    let m = expm1::<T, FUSED>(a + a);
    (m / (m + T::ONE + T::ONE)).copysign(x)
}

/// 1 / (1 + e⁻ˣ)
#[inline(always)]
pub fn sigmoid<T: Real, const FUSED: bool>(x: T) -> T {
    let e = exp::<T, FUSED>(-x.abs());
    (if x < T::ZERO { e } else { T::ONE }) / (T::ONE + e)
}

/// log x
#[inline(always)]
pub fn log<T: Real, const FUSED: bool>(x: T) -> T {
    let small = x < T::SMALLEST_NORMAL;
    let (m, e) = (if small { x * T::LIFT.0 } else { x }).split();
    let e = if small { e - T::LIFT.1 } else { e };
    let f = m - T::ONE;
    // log(1 + f) = f − f²/2 + s (f²/2 + R(s²)) with s = f / (2 + f), the series of 2 artanh s.
    let s = f / (f + T::ONE + T::ONE);
    let z = s * s;
    let r = z * polynomial::<T, FUSED>(T::LOG_TERMS, z);
    let h = f * f * T::from_f64(0.5);
    let y = mul_add::<T, FUSED>(e, T::LN2_HIGH, f - (h - mul_add::<T, FUSED>(s, h + r, e * T::LN2_LOW)));
    let y = if x == T::INFINITY { x } else { y };
    let y = if x == T::ZERO { -T::INFINITY } else { y };
    if x >= T::ZERO { y } else { T::NAN }
}

/// log(1 + x), with what rounding 1 + x lost added back.
#[inline(always)]
pub fn log1p<T: Real, const FUSED: bool>(x: T) -> T {
    let u = T::ONE + x;
    let y = log::<T, FUSED>(u);
    let lost = (x - (u - T::ONE)) / u;
    let y = if u > T::ZERO && x < T::INFINITY { y + lost } else { y };
    if x == T::ZERO { x } else { y }
}

/// log(1 + eˣ)
#[inline(always)]
pub fn softplus<T: Real, const FUSED: bool>(x: T) -> T {
    let positive = if x > T::ZERO { x } else { T::ZERO };
    positive + log1p::<T, FUSED>(exp::<T, FUSED>(-x.abs()))
}

/// 2/√π ∫₀ˣ exp(−t²) dt
#[inline(always)]
pub fn erf<T: Real, const FUSED: bool>(x: T) -> T {
    let a = x.abs();
    let near = a * polynomial::<T, FUSED>(T::ERF_TERMS, if a > T::ONE { T::ONE } else { a * a });
    let b = if a < T::ONE { T::ONE } else { a };
    let b = if b > T::ERF_HIGHEST { T::ERF_HIGHEST } else { b };
    let two = T::ONE + T::ONE;
    let g = polynomial::<T, FUSED>(T::ERFC_TERMS, (b - two) / (b + two));
    let far = T::ONE - exp::<T, FUSED>(-(b * b)) * g / b;
    (if a > T::ONE { far } else { near }).copysign(x)
}

/// x = n π/2 + r with |r| ≤ π/4, for |x| up to the limit of turns: sin r or cos r with its sign, by the quadrant of n + shift.
#[inline(always)]
fn turned<T: Real, const FUSED: bool>(x: T, shift: T) -> T {
    let two_over_pi = T::from_f64(std::f64::consts::FRAC_2_PI);
    let n = (x * two_over_pi + T::ROUNDER) - T::ROUNDER;
    let mut r = x;
    for part in T::HALF_PI {
        r = mul_add::<T, FUSED>(-n, part, r);
    }
    let z = r * r;
    let sine = mul_add::<T, FUSED>(r * z, polynomial::<T, FUSED>(T::SIN_TERMS, z), r);
    let half = z * T::from_f64(0.5);
    let w = T::ONE - half;
    // What rounding 1 − z/2 lost comes back.
    let cosine = w + mul_add::<T, FUSED>(z * z, polynomial::<T, FUSED>(T::COS_TERMS, z), (T::ONE - w) - half);
    let quadrant = n + shift;
    // In units of a whole turn, and of half a turn: 0, ¼, ½, ¾ and 0, ½.
    let (quarter, half) = (T::from_f64(0.25), T::from_f64(0.5));
    let turn = quadrant * quarter - (quadrant * quarter).floor();
    let odd = quadrant * half - (quadrant * half).floor();
    let y = if odd == T::ZERO { sine } else { cosine };
    if turn < half { y } else { -y }
}

/// sin x, for |x| up to the limit of turns.
#[inline(always)]
pub fn sin<T: Real, const FUSED: bool>(x: T) -> T {
    let y = turned::<T, FUSED>(x, T::ZERO);
    if x == T::ZERO { x } else { y }
}

/// cos x, for |x| up to the limit of turns.
#[inline(always)]
pub fn cos<T: Real, const FUSED: bool>(x: T) -> T {
    turned::<T, FUSED>(x, T::ONE)
}

/// arctan x = c + arctan t, with c one of 0, π/4 and π/2 and |t| ≤ tan π/8.
#[inline(always)]
pub fn atan<T: Real, const FUSED: bool>(x: T) -> T {
    let a = x.abs();
    let (far, near) = (a > T::from_f64(2.414_213_562_373_095), a > T::from_f64(0.414_213_562_373_095_03));
    let t = if near { (a - T::ONE) / (a + T::ONE) } else { a };
    let t = if far { -T::ONE / a } else { t };
    // π/2 and π/4 as the nearest number and what it lacks.
    let (high, low) = (T::from_f64(std::f64::consts::FRAC_PI_2), T::HALF_PI_REST);
    let share = if far { T::ONE } else { T::from_f64(0.5) };
    let share = if near { share } else { T::ZERO };
    let z = t * t;
    let y = mul_add::<T, FUSED>(t * z, polynomial::<T, FUSED>(T::ATAN_TERMS, z), share * low) + t;
    (share * high + y).copysign(x)
}

/// −1, 0 or 1; NaN stays.
#[inline(always)]
pub fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        x
    }
}

/// a b, but 0 where either is 0.
#[inline(always)]
pub fn annihilating<T: Real>(a: T, b: T) -> T {
    if a == T::ZERO || b == T::ZERO { T::ZERO } else { a * b }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance between f and the reference, in units of the reference's last place, over `range`.
    fn largest_error<T: Real>(range: (f64, f64), f: fn(T) -> T, reference: fn(f64) -> f64) -> f64 {
        let n = 100_000;
        let mut largest: f64 = 0.0;
        for i in 0..=n {
            // Evenly, and in powers of two towards zero.
            let even = range.0 + (range.1 - range.0) * f64::from(i) / f64::from(n);
            for x in [even, even * (-40.0 * f64::from(i % 1000) / 1000.0).exp2()] {
                let x = T::from_f64(x);
                let expected = reference(x.to_f64());
                let exponent = expected.abs().max(T::SMALLEST_NORMAL.to_f64()).log2().floor();
                let place = (exponent + 1.0).exp2() / T::LARGEST_INTEGER as f64;
                largest = largest.max((f(x).to_f64() - expected).abs() / place);
            }
        }
        largest
    }

    fn sigmoid_reference(x: f64) -> f64 {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    }

    fn softplus_reference(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }

    macro_rules! bounds {
        ($name:ident, $float:ident, $fused:literal: $($f:ident, $reference:expr, $range:expr, $bound:literal;)*) => {
            #[test]
            fn $name() {
                $(let error = largest_error::<$float>($range, $f::<$float, $fused>, $reference);
                println!("{} {} {error:.2}", stringify!($f), stringify!($name));
                assert!(error <= $bound, "{}: {error} units in the last place", stringify!($f));)*
            }
        };
    }

    bounds! { single_precision_fused, f32, true:
        exp, f64::exp, (-87.0, 88.7), 1.5;
        expm1, f64::exp_m1, (-25.0, 88.7), 3.0;
        tanh, f64::tanh, (-12.0, 12.0), 3.0;
        sigmoid, sigmoid_reference, (-80.0, 80.0), 2.5;
        log, f64::ln, (1e-30, 10.0), 1.5;
        log1p, f64::ln_1p, (-0.99, 10.0), 2.0;
        softplus, softplus_reference, (-80.0, 80.0), 3.0;
        erf, erf::<f64, true>, (-5.0, 5.0), 3.0;
        sin, f64::sin, (-8000.0, 8000.0), 2.5;
        cos, f64::cos, (-8000.0, 8000.0), 2.5;
        atan, f64::atan, (-20.0, 20.0), 2.5;
    }
    bounds! { single_precision_unfused, f32, false:
        exp, f64::exp, (-87.0, 88.7), 1.5;
        expm1, f64::exp_m1, (-25.0, 88.7), 3.0;
        tanh, f64::tanh, (-12.0, 12.0), 3.0;
        sigmoid, sigmoid_reference, (-80.0, 80.0), 2.5;
        log, f64::ln, (1e-30, 10.0), 1.5;
        log1p, f64::ln_1p, (-0.99, 10.0), 2.0;
        softplus, softplus_reference, (-80.0, 80.0), 3.0;
        erf, erf::<f64, false>, (-5.0, 5.0), 3.0;
        sin, f64::sin, (-8000.0, 8000.0), 2.5;
        cos, f64::cos, (-8000.0, 8000.0), 2.5;
        atan, f64::atan, (-20.0, 20.0), 2.5;
    }
    // The references are themselves within one unit.
    bounds! { double_precision, f64, true:
        exp, f64::exp, (-708.0, 709.7), 2.0;
        expm1, f64::exp_m1, (-45.0, 709.7), 3.0;
        tanh, f64::tanh, (-25.0, 25.0), 4.0;
        sigmoid, sigmoid_reference, (-700.0, 700.0), 3.0;
        log, f64::ln, (1e-300, 10.0), 2.0;
        log1p, f64::ln_1p, (-0.99, 10.0), 3.0;
        softplus, softplus_reference, (-700.0, 700.0), 3.0;
        sin, f64::sin, (-1e6, 1e6), 2.5;
        cos, f64::cos, (-1e6, 1e6), 2.5;
        atan, f64::atan, (-20.0, 20.0), 2.5;
    }

    /// Computed with 50 digits.
    #[allow(clippy::excessive_precision)]
    const ERF: [(f64, f64); 21] = [
        (1e-300, 1.1283791670955126e-300),
        (1e-9, 1.12837916709551264e-9),
        (0.03125, 0.035250373867322826),
        (0.25, 0.276326390168236933),
        (0.5, 0.520499877813046538),
        (0.75, 0.711155633653515132),
        (0.984375, 0.836112870050396484),
        (1.0, 0.842700792949714869),
        (1.0078125, 0.845918550357627654),
        (1.25, 0.92290012825645823),
        (1.5, 0.966105146475310727),
        (1.75, 0.986671671219182444),
        (2.0, 0.995322265018952734),
        (2.5, 0.999593047982555041),
        (3.0, 0.999977909503001415),
        (3.5, 0.999999256901627659),
        (4.0, 0.9999999845827421),
        (4.75, 0.999999999981514952),
        (5.5, 0.999999999999992642),
        (5.875, 0.999999999999999903),
        (6.5, 1.0),
    ];

    #[test]
    fn erf_to_the_last_places() {
        for (x, expected) in ERF {
            for y in [erf::<f64, true>(x), -erf::<f64, true>(-x), erf::<f64, false>(x)] {
                assert!((y - expected).abs() <= 3.0 * f64::EPSILON * expected, "erf({x}) = {y}, not {expected}");
            }
        }
    }

    #[test]
    fn limits_are_exact() {
        fn limits<T: Real>() {
            let (zero, one, infinity) = (T::ZERO, T::ONE, T::INFINITY);
            let small = T::SMALLEST_NORMAL * T::from_f64(0.25);
            assert_eq!([exp::<T, true>(infinity), exp::<T, true>(-infinity), exp::<T, true>(zero)], [infinity, zero, one]);
            assert_eq!([expm1::<T, true>(infinity), expm1::<T, true>(-infinity), expm1::<T, true>(small)], [infinity, -one, small]);
            assert_eq!([tanh::<T, true>(infinity), tanh::<T, true>(-infinity), tanh::<T, true>(small)], [one, -one, small]);
            assert_eq!([sigmoid::<T, true>(infinity), sigmoid::<T, true>(-infinity)], [one, zero]);
            assert_eq!([log::<T, true>(infinity), log::<T, true>(zero), log::<T, true>(one)], [infinity, -infinity, zero]);
            assert_eq!([log1p::<T, true>(infinity), log1p::<T, true>(-one), log1p::<T, true>(small)], [infinity, -infinity, small]);
            assert_eq!([softplus::<T, true>(infinity), softplus::<T, true>(-infinity)], [infinity, zero]);
            assert_eq!([erf::<T, true>(infinity), erf::<T, true>(-infinity), erf::<T, true>(zero)], [one, -one, zero]);
            let subnormal = log::<T, true>(small).to_f64();
            assert!((subnormal - small.to_f64().ln()).abs() < 1e-4, "log of a subnormal number: {subnormal}");
            for f in [exp::<T, true>, expm1::<T, true>, tanh::<T, true>, sigmoid::<T, true>, log::<T, true>, log1p::<T, true>] {
                assert!(f(T::NAN).to_f64().is_nan());
            }
            assert!(softplus::<T, true>(T::NAN).to_f64().is_nan() && erf::<T, true>(T::NAN).to_f64().is_nan());
            assert!(log::<T, true>(-one).to_f64().is_nan() && log1p::<T, true>(-one - one).to_f64().is_nan());
            assert_eq!([annihilating(zero, T::NAN), annihilating(infinity, zero)], [zero, zero]);
        }
        limits::<f32>();
        limits::<f64>();
    }
}
