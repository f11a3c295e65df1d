//! A number that changes with the steps of a training.

use serde::{Deserialize, Serialize};

/// Linear from `from` to `to` over the first `steps` steps, then `to`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// At step 0.
    pub from: f64,
    /// From `steps` on.
    pub to: f64,
    /// How long it takes; 0 is `to` from the first step on.
    pub steps: u64,
}

impl Ramp {
    /// The same number always.
    pub fn fixed(value: f64) -> Self {
        Self { from: value, to: value, steps: 0 }
    }

    /// Its value, if that never changes.
    pub fn constant(&self) -> Option<f64> {
        (self.steps == 0 || self.from == self.to).then_some(self.to)
    }

    /// At a step.
    pub fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.to;
        }
        self.from + (self.to - self.from) * (step as f64 / self.steps as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_and_stays() {
        let ramp = Ramp { from: 0.0, to: 4.0, steps: 100 };
        assert_eq!([0, 25, 100, 900].map(|step| ramp.at(step)), [0.0, 1.0, 4.0, 4.0]);
        assert_eq!((Ramp::fixed(2.0).constant(), ramp.constant()), (Some(2.0), None));
    }
}
