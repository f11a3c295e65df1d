//! Elementary functions as straight-line arithmetic, so that loops over them become vector code.
//!
//! Every function is written once for `f32` and `f64`; `FUSED` says whether the machine has a fused multiply-add. Largest
//! errors found against double-double or `f64` references are stated by the tests: 2 units in the last place for exp, log,
//! sigmoid; 4 for expm1, log1p, softplus, tanh and erf.
// A function is compiled for the vectors of the loop that it is inlined into, so it must be.
#![allow(clippy::inline_always)]

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
