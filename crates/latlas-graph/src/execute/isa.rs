//! The instruction set that kernels are run with: the best of the machine, or the one that `LATLAS_ISA` pins.

use std::sync::OnceLock;

use crate::{Error, Result};

/// An instruction set that kernels are compiled for. On one of them, equal runs give equal bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every machine of the architecture has: SSE2 on x86-64, NEON on aarch64.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 F, DQ, VL and BW.
    Avx512,
}

/// The environment variable that pins an instruction set.
pub const VARIABLE: &str = "LATLAS_ISA";

impl Isa {
    const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// As `LATLAS_ISA` and reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The best that this machine has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw");
            if avx2 {
                return if avx512 { Self::Avx512 } else { Self::Avx2 };
            }
        }
        Self::Portable
    }

    /// What kernels run with in this process.
    pub fn current() -> Self {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::pinned().unwrap_or_else(|_| Self::best()))
    }

    /// What `LATLAS_ISA` asks for, or else the best.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that does not exist, or a set that this machine lacks.
    pub fn pinned() -> Result<Self> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::best()),
            Some(name) => Self::parse(&name.to_string_lossy(), Self::best()),
        }
    }

    fn parse(name: &str, best: Self) -> Result<Self> {
        let there = || Self::ALL.iter().filter(|isa| **isa <= best).map(|isa| isa.name()).collect::<Vec<_>>().join(", ");
        match Self::ALL.into_iter().find(|isa| isa.name() == name) {
            Some(isa) if isa <= best => Ok(isa),
            _ => Err(Error::Setting { name: VARIABLE.into(), expected: format!("one of {} on this machine", there()), got: name.into() }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_set_must_be_there() {
        assert_eq!(Isa::parse("portable", Isa::Avx2).unwrap(), Isa::Portable);
        assert_eq!(Isa::parse("avx2", Isa::Avx2).unwrap(), Isa::Avx2);
        for wrong in ["avx512", "sse9", ""] {
            let error = Isa::parse(wrong, Isa::Avx2).unwrap_err().to_string();
            assert!(error.contains("LATLAS_ISA") && error.contains("portable, avx2 on this machine"), "{error}");
        }
    }
}
