//! A training in memory: nothing is written.

use super::{Data, Settings, Trainer};
use crate::error::Result;
use crate::models::zoo::Parameters;

/// A whole training without a folder: the parameters at its end. `tell` is given the step and the number of steps.
///
/// # Errors
/// Those of [`Trainer::new`] and [`Trainer::step`].
pub fn fit(settings: &Settings, data: &Data, tell: &dyn Fn(u64, u64)) -> Result<Parameters> {
    let mut trainer = Trainer::new(settings, data)?;
    let (steps, per_epoch) = (trainer.steps(), trainer.steps_per_epoch());
    let watches = settings.early_stopping.patience > 0;
    while trainer.progress.step < steps {
        let step = trainer.step()?.step;
        tell(step, steps);
        if watches && step.is_multiple_of(per_epoch) {
            let held_out = trainer.evaluate(&trainer.to_be_saved())?;
            if trainer.end_epoch(held_out.as_ref()) {
                break;
            }
        }
    }
    Ok(trainer.finished())
}
