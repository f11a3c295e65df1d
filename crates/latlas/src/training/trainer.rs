//! The loop of a training, one step at a time.

use super::optimizer::State as OptimizerState;
use latlas_graph::execute::{Options, Program};
use ndarray::Array2;

use super::data::fill;
use super::{Batches, Data, Evaluation, Objective, Settings, file_graph};
use crate::error::{Error, Result};
use crate::models::zoo::Parameters;
use crate::random::{Purpose, hash, set_apart};
use crate::samples::Prior;

/// What happened in a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: u64,
    /// The loss before it.
    pub training: Evaluation,
    /// Length of the gradient.
    pub gradient_norm: f64,
    /// The learning rate.
    pub rate: f64,
}

/// What changes from step to step, beside the parameters: all that a checkpoint holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// What the optimiser remembers of each parameter.
    pub optimizer: Vec<OptimizerState>,
    /// The moving average of each parameter, if one is kept.
    pub average: Vec<Vec<f32>>,
    /// The best parameters so far and their loss on held-out rows.
    pub best: Option<(f64, Vec<Vec<f32>>)>,
    /// Epochs since that loss fell.
    pub since_best: u64,
    /// Sums over the steps of the epoch so far: the loss, then its terms.
    pub epoch_sums: Vec<f64>,
}

impl Progress {
    /// Adds a step to the sums of its epoch.
    pub fn add(&mut self, step: &Evaluation) {
        self.epoch_sums.resize(step.terms.len() + 1, 0.0);
        let values = std::iter::once(&step.loss).chain(&step.terms);
        self.epoch_sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }

    /// The means over an epoch of so many steps, whose sums begin anew.
    pub fn take_mean(&mut self, steps: u64) -> Evaluation {
        let mut means = std::mem::take(&mut self.epoch_sums).into_iter().map(|sum| sum / steps as f64);
        Evaluation { loss: means.next().unwrap_or(0.0), terms: means.collect() }
    }
}

/// A training under way.
pub struct Trainer<'a> {
    settings: &'a Settings,
    data: &'a Data,
    /// The parameters as they are now.
    pub parameters: Parameters,
    /// All else that changes.
    pub progress: Progress,
    objective: Objective,
    held_out_objective: Objective,
    adversary: Option<Adversary>,
    batches: Batches,
    held_out: Vec<usize>,
    given: Vec<Vec<f32>>,
}

/// What is trained against the model, on batches of its own, after each step of the model.
struct Adversary {
    objective: Objective,
    batches: Batches,
}

impl<'a> Trainer<'a> {
    /// A training at its beginning.
    ///
    /// # Errors
    /// Settings out of range, a model that does not fit the data, fewer rows than a batch.
    pub fn new(settings: &'a Settings, data: &'a Data) -> Result<Self> {
        settings.check()?;
        let model = settings.model.model();
        model.check(&data.shape)?;
        let mut parameters = Parameters::new(settings.seed);
        let objective = Objective::new(model, &mut parameters, &data.shape, settings.batch, settings.tile, true)?;
        let held_out_objective = Objective::new(model, &mut parameters, &data.shape, settings.batch, settings.tile, false)?;
        let (training, held_out) = set_apart(settings.seed, Purpose::HeldOut, data.rows(), settings.held_out);
        if training.len() < settings.batch {
            return Err(Error::Input {
                what: format!("{} training rows do not fill one batch of {}", training.len(), settings.batch),
                hint: Some("lower --batch or --held-out, or give more data".into()),
            });
        }
        let labels = data.labels.as_deref().filter(|_| settings.balanced);
        if settings.balanced && labels.is_none() {
            let what = "balanced batches need labels".to_string();
            return Err(Error::Input { what, hint: Some("give --labels".into()) });
        }
        let mut batches = Batches::new(settings.seed, settings.batch, &training, labels);
        let adversary = Objective::adversary(model, &mut parameters, &data.shape, settings.batch, settings.tile)?;
        let adversary = adversary.map(|objective| {
            let seed = hash(settings.seed, Purpose::Adversary, 0);
            Adversary { objective, batches: Batches::new(seed, settings.batch, &training, labels) }
        });
        let first: Vec<&[f32]> = batches.rows_at(0).iter().map(|&row| data.row(row)).collect();
        model.start(&mut parameters, &first);
        let progress = Progress { optimizer: vec![OptimizerState::default(); parameters.list().len()], ..Progress::default() };
        Ok(Self { settings, data, parameters, progress, objective, held_out_objective, adversary, batches, held_out, given: vec![] })
    }

    /// Steps in all, unless it stops early.
    pub fn steps(&self) -> u64 {
        self.settings.epochs * self.steps_per_epoch()
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.per_epoch()
    }

    /// Names of the terms of the loss, and of an adversary's.
    pub fn terms(&self) -> Vec<&'static str> {
        self.objective.terms().chain(self.adversary.iter().flat_map(|adversary| adversary.objective.terms())).collect()
    }

    /// One step: of the model, then of its adversary if it has one.
    ///
    /// # Errors
    /// [`Error::State`] where a term of the loss or the gradient is not finite, with the step and the term.
    pub fn step(&mut self) -> Result<Step> {
        let step = self.progress.step;
        let (settings, data) = (self.settings, self.data);
        let rate = settings.learning_rate * settings.schedule.at(step, self.steps());
        let key = hash(settings.seed, Purpose::TrainingNoise, step);
        fill(&self.objective, data, self.batches.rows_at(step), key, &mut self.given);
        let mut training = self.objective.run(settings.batch, step, &self.given, &self.parameters)?;
        let states = &mut self.progress.optimizer;
        let gradient_norm = descend(&self.objective, &training, settings, step, rate, &mut self.parameters, states)?;
        if let Some(Adversary { objective, batches }) = &mut self.adversary {
            let key = hash(settings.seed, Purpose::Adversary, 1 + step);
            fill(objective, data, batches.rows_at(step), key, &mut self.given);
            let found = objective.run(settings.batch, step, &self.given, &self.parameters)?;
            descend(objective, &found, settings, step, rate, &mut self.parameters, states)?;
            training.terms.extend(found.terms);
        }
        self.progress.step += 1;
        self.update_average();
        Ok(Step { step: step + 1, training, gradient_norm, rate })
    }

    /// The exponential moving average, corrected for its start as Adam's moments are.
    fn update_average(&mut self) {
        let decay = self.settings.average;
        if decay == 0.0 {
            return;
        }
        let list = self.parameters.list();
        if self.progress.average.is_empty() {
            self.progress.average = list.iter().map(|p| p.values.clone()).collect();
            return;
        }
        // The share of the newest: 1 − decay in the long run, more at the beginning, so that the start is forgotten.
        let steps = self.progress.step as f64;
        let share = ((1.0 - decay) / (1.0 - decay.powf(steps))).min(1.0) as f32;
        for (average, parameter) in self.progress.average.iter_mut().zip(list) {
            average.iter_mut().zip(&parameter.values).for_each(|(a, x)| *a += share * (x - *a));
        }
    }

    /// The parameters that would be saved now: the average if one is kept.
    pub fn to_be_saved(&self) -> Parameters {
        let mut parameters = self.parameters.clone();
        for (parameter, average) in parameters.list_mut().iter_mut().zip(&self.progress.average) {
            parameter.values.clone_from(average);
        }
        parameters
    }

    /// The loss of parameters on held-out rows, with the same noise every time; `None` without such rows.
    ///
    /// # Errors
    /// Those of the graph.
    pub fn evaluate(&mut self, parameters: &Parameters) -> Result<Option<Evaluation>> {
        let (mut sum, mut seen): (Option<Evaluation>, f64) = (None, 0.0);
        let couples = self.settings.model.model().couples_samples();
        for (i, rows) in self.held_out.chunks(self.settings.batch).enumerate() {
            if couples && rows.len() < self.settings.batch {
                break;
            }
            let key = hash(self.settings.seed, Purpose::Evaluation, i as u64);
            fill(&self.held_out_objective, self.data, rows, key, &mut self.given);
            let one = self.held_out_objective.run(rows.len(), self.progress.step, &self.given, parameters)?;
            let n = rows.len() as f64;
            seen += n;
            let all = sum.get_or_insert_with(|| Evaluation { loss: 0.0, terms: vec![0.0; one.terms.len()] });
            all.loss += n * one.loss;
            all.terms.iter_mut().zip(&one.terms).for_each(|(sum, term)| *sum += n * term);
        }
        Ok(sum.map(|all| Evaluation { loss: all.loss / seen, terms: all.terms.iter().map(|term| term / seen).collect() }))
    }

    /// Takes the loss at the end of an epoch into account; whether training should stop.
    pub fn end_epoch(&mut self, held_out: Option<&Evaluation>) -> bool {
        let patience = self.settings.early_stopping.patience;
        let Some(held_out) = held_out.filter(|_| patience > 0) else { return false };
        if self.progress.best.as_ref().is_none_or(|best| held_out.loss < best.0) {
            let values = self.to_be_saved().list().iter().map(|p| p.values.clone()).collect();
            self.progress.best = Some((held_out.loss, values));
            self.progress.since_best = 0;
            return false;
        }
        self.progress.since_best += 1;
        self.has_stopped()
    }

    /// Whether early stopping has ended it.
    pub fn has_stopped(&self) -> bool {
        let patience = self.settings.early_stopping.patience;
        patience > 0 && self.progress.since_best >= patience
    }

    /// The prior that the model fits to the codes of its training rows under these parameters; `None` where it stays N(0, I).
    ///
    /// # Errors
    /// Those of the encoder and of the fit.
    pub fn prior(&self, parameters: &mut Parameters) -> Result<Option<Prior>> {
        let model = self.settings.model.model();
        let (data, batches) = (self.data, &self.batches);
        let mut codes = || {
            let graph = file_graph(model, "encoder", parameters, &data.shape)?;
            let encoder = Program::<f32>::compile(&graph, &Options::default())?;
            let rows: Vec<f32> = batches.all_rows().flat_map(|row| data.row(row)).copied().collect();
            let (n, mut outputs) = (batches.all_rows().count(), vec![]);
            encoder.run(n, &[&rows], &mut outputs)?;
            let codes: Vec<f64> = outputs.first().into_iter().flatten().map(|&z| f64::from(z)).collect();
            let d = codes.len() / n.max(1);
            Array2::from_shape_vec((n, d), codes).map_err(|e| Error::State { what: format!("codes: {e}"), hint: None })
        };
        model.prior(&mut codes)
    }

    /// The parameters at the end: the best ones if early stopping kept them.
    pub fn finished(&self) -> Parameters {
        let mut parameters = self.to_be_saved();
        if let Some((_, best)) = &self.progress.best {
            for (parameter, values) in parameters.list_mut().iter_mut().zip(best) {
                parameter.values.clone_from(values);
            }
        }
        parameters
    }
}

/// Moves the parameters of an objective down its last gradient, whose length is given.
fn descend(
    objective: &Objective,
    found: &Evaluation,
    settings: &Settings,
    step: u64,
    rate: f64,
    parameters: &mut Parameters,
    states: &mut [OptimizerState],
) -> Result<f64> {
    if let Some((name, value)) = objective.terms().zip(&found.terms).find(|(_, value)| !value.is_finite()) {
        return Err(diverged(step + 1, &format!("the term {name:?} of the loss is {value}")));
    }
    let square = |gradient: &[f32]| gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
    let norm = objective.gradients().map(|(_, gradient)| square(gradient)).sum::<f64>().sqrt();
    if !norm.is_finite() {
        let bad = objective.gradients().find(|(_, gradient)| !square(gradient).is_finite());
        let name = bad.map_or("?", |(i, _)| parameters.list()[i].name.as_str());
        return Err(diverged(step + 1, &format!("the gradient for {name:?} is not finite")));
    }
    let scale = if settings.clip > 0.0 && norm > settings.clip { settings.clip / norm } else { 1.0 };
    for (i, gradient) in objective.gradients() {
        let values = &mut parameters.list_mut()[i].values;
        settings.optimizer.update(step + 1, rate, scale, values, gradient, &mut states[i]);
    }
    Ok(norm)
}

fn diverged(step: u64, what: &str) -> Error {
    let hint = "lower --learning-rate, shorten gradients with --clip 1, or look for values in the data that are far off".into();
    Error::State { what: format!("training diverged in step {step}: {what}"), hint: Some(hint) }
}
