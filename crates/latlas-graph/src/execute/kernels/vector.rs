//! Vectors of each instruction set, as far as a matrix product needs them.
// A vector's functions are compiled for the instruction set of the loop that they are inlined into, so they must be.
#![allow(clippy::inline_always)]

use crate::execute::Real;

/// A register of numbers of type T.
///
/// # Safety
/// The functions may be called only where the instruction set of the vector is enabled, and pointers must be good for a whole
/// vector (`load`, `store`) or for one number (`splat`).
pub unsafe trait Vector<T>: Copy {
    /// Numbers in it.
    const LANES: usize;
    /// All zero.
    unsafe fn zero() -> Self;
    /// `LANES` numbers from memory, without regard to alignment.
    unsafe fn load(from: *const T) -> Self;
    /// One number in all lanes.
    unsafe fn splat(from: *const T) -> Self;
    /// To memory.
    unsafe fn store(self, to: *mut T);
    /// self · a + b.
    unsafe fn fused(self, a: Self, b: Self) -> Self;
}

/// An array that the compiler turns into whatever vectors the target has.
#[derive(Clone, Copy)]
pub struct Plain<T, const N: usize>([T; N]);

// SAFETY: plain Rust; pointers as promised by the caller.
unsafe impl<T: Real, const N: usize> Vector<T> for Plain<T, N> {
    const LANES: usize = N;
    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([T::ZERO; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: good for N numbers; an array has the alignment of its elements.
        Self(unsafe { from.cast::<[T; N]>().read() })
    }
    #[inline(always)]
    unsafe fn splat(from: *const T) -> Self {
        // SAFETY: good for one number.
        Self([unsafe { from.read() }; N])
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: good for N numbers.
        unsafe { to.cast::<[T; N]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn fused(self, a: Self, b: Self) -> Self {
        let mut y = b.0;
        for ((y, x), a) in y.iter_mut().zip(self.0).zip(a.0) {
            // Where a fused multiply-add is no instruction it would be a call.
            *y = if cfg!(target_arch = "aarch64") { x.fused(a, *y) } else { x * a + *y };
        }
        Self(y)
    }
}

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    //! AVX2 and AVX-512.

    pub use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

    use std::arch::x86_64::{
        _mm256_broadcast_sd, _mm256_broadcast_ss, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_setzero_pd,
        _mm256_setzero_ps, _mm256_storeu_pd, _mm256_storeu_ps, _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps,
        _mm512_set1_pd, _mm512_set1_ps, _mm512_setzero_pd, _mm512_setzero_ps, _mm512_storeu_pd, _mm512_storeu_ps,
    };

    use super::Vector;

    macro_rules! vector {
        ($vector:ident of $lanes:literal $float:ident: $zero:ident $load:ident $splat:expr, $store:ident $fused:ident) => {
            // SAFETY: each function is the one instruction that its name says.
            unsafe impl Vector<$float> for $vector {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn zero() -> Self {
                    unsafe { $zero() }
                }
                #[inline(always)]
                unsafe fn load(from: *const $float) -> Self {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn splat(from: *const $float) -> Self {
                    unsafe { $splat(&*from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $float) {
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn fused(self, a: Self, b: Self) -> Self {
                    unsafe { $fused(self, a, b) }
                }
            }
        };
    }

    vector!(__m256 of 8 f32: _mm256_setzero_ps _mm256_loadu_ps _mm256_broadcast_ss, _mm256_storeu_ps _mm256_fmadd_ps);
    vector!(__m256d of 4 f64: _mm256_setzero_pd _mm256_loadu_pd _mm256_broadcast_sd, _mm256_storeu_pd _mm256_fmadd_pd);
    vector!(__m512 of 16 f32: _mm512_setzero_ps _mm512_loadu_ps (|x: &f32| _mm512_set1_ps(*x)), _mm512_storeu_ps _mm512_fmadd_ps);
    vector!(__m512d of 8 f64: _mm512_setzero_pd _mm512_loadu_pd (|x: &f64| _mm512_set1_pd(*x)), _mm512_storeu_pd _mm512_fmadd_pd);
}
