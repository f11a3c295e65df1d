//! Scalar functions over slices, compiled once for each vector width that the machine may have.
// A body is compiled for the vectors of the function that it is inlined into, so it must be.
#![allow(clippy::inline_always)]

use super::math;
use crate::execute::Real;
use crate::execute::isa::Isa;
use crate::ops::{Binary, Unary};

/// Defines a function that runs `body` compiled for AVX-512, for AVX2 or for any machine.
macro_rules! multiversion {
    ($(#[$doc:meta])* $name:ident, $body:ident, ($($arg:ident: $type:ty),*)) => {
        $(#[$doc])*
        pub fn $name<T: Real>($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
                fn v4<T: Real>($($arg: $type),*) {
                    $body::<T, true>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn v3<T: Real>($($arg: $type),*) {
                    $body::<T, true>($($arg),*);
                }
                // SAFETY: the machine has the features of the current instruction set; the code is otherwise safe.
                unsafe {
                    match Isa::current() {
                        Isa::Avx512 => return v4::<T>($($arg),*),
                        Isa::Avx2 => return v3::<T>($($arg),*),
                        Isa::Portable => {}
                    }
                }
            }
            $body::<T, { cfg!(target_arch = "aarch64") }>($($arg),*);
        }
    };
}

multiversion! {
    /// y = f(x); the slices are equally long.
    unary, unary_body, (f: Unary, x: &[T], y: &mut [T])
}
multiversion! {
    /// y = f(a, b); the slices are equally long.
    binary, binary_body, (f: Binary, a: &[T], b: &[T], y: &mut [T])
}
multiversion! {
    /// y = a where the mask is not 0, else b; the slices are equally long.
    select, select_body, (a: &[T], b: &[T], mask: &[T], y: &mut [T])
}
multiversion! {
    /// y += x; the slices are equally long.
    add_to, add_to_body, (x: &[T], y: &mut [T])
}
multiversion! {
    /// y += a x; the slices are equally long.
    axpy, axpy_body, (a: T, x: &[T], y: &mut [T])
}
multiversion! {
    /// out[0] = Σ x
    sum_into, sum_body, (x: &[T], out: &mut [T; 1])
}
multiversion! {
    /// out[0] = Σ a b; the slices are equally long.
    dot_into, dot_body, (a: &[T], b: &[T], out: &mut [T; 1])
}

/// Σ x
pub fn sum<T: Real>(x: &[T]) -> T {
    let mut out = [T::ZERO];
    sum_into(x, &mut out);
    out[0]
}

/// Σ a b
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut out = [T::ZERO];
    dot_into(a, b, &mut out);
    out[0]
}

#[inline(always)]
fn each<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
}

/// f, and `far` for what lies beyond the limit of turns.
#[inline(always)]
fn turns<T: Real>(x: &[T], y: &mut [T], f: impl Fn(T) -> T, far: impl Fn(T) -> T) {
    each(x, y, f);
    let near = |x: T| x.abs() <= T::TURNS_LIMIT;
    if !x.iter().fold(true, |all, &x| all & near(x)) {
        for (y, &x) in y.iter_mut().zip(x).filter(|(_, x)| !near(**x)) {
            *y = far(x);
        }
    }
}

#[inline(always)]
fn pairs<T: Real>(a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
        *y = f(a, b);
    }
}

#[inline(always)]
fn truth<T: Real>(yes: bool) -> T {
    if yes { T::ONE } else { T::ZERO }
}

#[inline(always)]
fn unary_body<T: Real, const FUSED: bool>(f: Unary, x: &[T], y: &mut [T]) {
    match f {
        Unary::Neg => each(x, y, |x| -x),
        Unary::Abs => each(x, y, T::abs),
        Unary::Exp => each(x, y, math::exp::<T, FUSED>),
        Unary::Expm1 => each(x, y, math::expm1::<T, FUSED>),
        Unary::Log => each(x, y, math::log::<T, FUSED>),
        Unary::Log1p => each(x, y, math::log1p::<T, FUSED>),
        Unary::Sqrt => each(x, y, T::sqrt),
        Unary::Tanh => each(x, y, math::tanh::<T, FUSED>),
        Unary::Sigmoid => each(x, y, math::sigmoid::<T, FUSED>),
        Unary::Softplus => each(x, y, math::softplus::<T, FUSED>),
        Unary::Erf => each(x, y, math::erf::<T, FUSED>),
        Unary::Sin => turns(x, y, math::sin::<T, FUSED>, T::sin),
        Unary::Cos => turns(x, y, math::cos::<T, FUSED>, T::cos),
        Unary::Tan => each(x, y, T::tan),
        Unary::Asin => each(x, y, T::asin),
        Unary::Acos => each(x, y, T::acos),
        Unary::Atan => each(x, y, math::atan::<T, FUSED>),
        Unary::Sinh => each(x, y, T::sinh),
        Unary::Cosh => each(x, y, T::cosh),
        Unary::Asinh => each(x, y, T::asinh),
        Unary::Acosh => each(x, y, T::acosh),
        Unary::Atanh => each(x, y, T::atanh),
        Unary::Floor => each(x, y, T::floor),
        Unary::Ceil => each(x, y, T::ceil),
        Unary::RoundEven => each(x, y, T::round_ties_even),
        Unary::Trunc => each(x, y, T::trunc),
        Unary::Sign => each(x, y, math::sign),
        Unary::Not => each(x, y, |x| truth(x == T::ZERO)),
        #[allow(clippy::eq_op)]
        Unary::IsNan => each(x, y, |x| truth(x != x)),
        Unary::IsPosInf => each(x, y, |x| truth(x == T::INFINITY)),
        Unary::IsNegInf => each(x, y, |x| truth(x == -T::INFINITY)),
    }
}

#[inline(always)]
fn binary_body<T: Real, const FUSED: bool>(f: Binary, a: &[T], b: &[T], y: &mut [T]) {
    match f {
        Binary::Add => pairs(a, b, y, |a, b| a + b),
        Binary::Sub => pairs(a, b, y, |a, b| a - b),
        Binary::Mul => pairs(a, b, y, |a, b| a * b),
        Binary::MulAnnihilating => pairs(a, b, y, math::annihilating),
        Binary::Div => pairs(a, b, y, |a, b| a / b),
        Binary::Pow => power(a, b, y),
        Binary::Less => pairs(a, b, y, |a, b| truth(a < b)),
        Binary::LessOrEqual => pairs(a, b, y, |a, b| truth(a <= b)),
        Binary::Equal => pairs(a, b, y, |a, b| truth(a == b)),
        Binary::And => pairs(a, b, y, |a, b| truth(a != T::ZERO && b != T::ZERO)),
        Binary::Or => pairs(a, b, y, |a, b| truth(a != T::ZERO || b != T::ZERO)),
        Binary::Xor => pairs(a, b, y, |a, b| truth((a != T::ZERO) != (b != T::ZERO))),
    }
}

/// Most exponents are one number for all elements, and a small integer.
#[inline(always)]
fn power<T: Real>(a: &[T], b: &[T], y: &mut [T]) {
    let first = b.first().copied().unwrap_or(T::ONE);
    if b.iter().any(|&e| e != first) {
        return pairs(a, b, y, T::powf);
    }
    match first.to_f64() {
        1.0 => each(a, y, |a| a),
        2.0 => each(a, y, |a| a * a),
        3.0 => each(a, y, |a| a * a * a),
        -1.0 => each(a, y, |a| T::ONE / a),
        _ => each(a, y, |a| a.powf(first)),
    }
}

#[inline(always)]
fn select_body<T: Real, const FUSED: bool>(a: &[T], b: &[T], mask: &[T], y: &mut [T]) {
    for (((y, &a), &b), &m) in y.iter_mut().zip(a).zip(b).zip(mask) {
        *y = if m == T::ZERO { b } else { a };
    }
}

#[inline(always)]
fn add_to_body<T: Real, const FUSED: bool>(x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

#[inline(always)]
fn axpy_body<T: Real, const FUSED: bool>(a: T, x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = if FUSED { a.fused(x, *y) } else { a * x + *y };
    }
}

/// Partial sums, so that the additions do not wait for each other and become vector code.
const PARTS: usize = 32;

#[inline(always)]
fn fold<T: Real>(mut parts: [T; PARTS], rest: T) -> T {
    let mut width = PARTS / 2;
    while width > 0 {
        for i in 0..width {
            parts[i] += parts[i + width];
        }
        width /= 2;
    }
    parts[0] + rest
}

#[inline(always)]
fn sum_body<T: Real, const FUSED: bool>(x: &[T], out: &mut [T; 1]) {
    let (chunks, tail) = x.as_chunks::<PARTS>();
    let mut parts = [T::ZERO; PARTS];
    for chunk in chunks {
        for (part, &x) in parts.iter_mut().zip(chunk) {
            *part += x;
        }
    }
    out[0] = fold(parts, tail.iter().fold(T::ZERO, |s, &x| s + x));
}

#[inline(always)]
fn dot_body<T: Real, const FUSED: bool>(a: &[T], b: &[T], out: &mut [T; 1]) {
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<PARTS>(), b.as_chunks::<PARTS>());
    let mut parts = [T::ZERO; PARTS];
    for (a, b) in a.iter().zip(b) {
        for ((part, &a), &b) in parts.iter_mut().zip(a).zip(b) {
            *part = if FUSED { a.fused(b, *part) } else { a * b + *part };
        }
    }
    out[0] = fold(parts, a_tail.iter().zip(b_tail).fold(T::ZERO, |s, (&a, &b)| s + a * b));
}
