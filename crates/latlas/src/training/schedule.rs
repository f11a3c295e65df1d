//! Learning rates over the steps.

use serde::{Deserialize, Serialize};

/// What the learning rate is multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Schedule {
    /// Always 1.
    #[default]
    Constant,
    /// ½ (1 + cos(π · step / steps)): from 1 to 0 over all steps (Loshchilov and Hutter 2017).
    Cosine,
    /// γ to the number of whole periods so far.
    Step {
        /// Steps of a period.
        every: u64,
        /// γ.
        gamma: f64,
    },
}

impl Schedule {
    /// At a step of so many.
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / steps.max(1) as f64).cos()),
            Self::Step { every, gamma } => gamma.powi((step / every.max(1)).min(i32::MAX as u64) as i32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_fall_as_they_should() {
        assert_eq!(Schedule::Constant.at(7, 10), 1.0);
        assert!((Schedule::Cosine.at(5, 10) - 0.5).abs() < 1e-15 && Schedule::Cosine.at(10, 10).abs() < 1e-15);
        let steps = Schedule::Step { every: 10, gamma: 0.5 };
        assert_eq!([0, 9, 10, 35].map(|step| steps.at(step, 100)), [1.0, 1.0, 0.5, 0.125]);
    }
}
