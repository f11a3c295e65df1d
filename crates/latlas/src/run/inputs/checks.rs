//! Whether inputs fit together, and where samples come from.

use ndarray::Array2;

use super::{Inputs, input, shape};
use crate::error::{Error, Result};
use crate::settings::{Sampling, Settings};

/// Further models at most.
const MOST_OTHERS: usize = 64;

impl Inputs {
    /// Where samples come from, and how many there are.
    pub(super) fn sampling(&self, settings: &Settings) -> Result<(Sampling, usize)> {
        if let Some(jacobians) = &self.jacobians {
            let n = jacobians.values.dim().0;
            if let Some(rows) = self.latents.as_ref().map(Array2::nrows).filter(|rows| *rows != n) {
                return Err(shape(format!("there are {n} Jacobians and {rows} rows of latents")));
            }
            return Ok((Sampling::Given, n));
        }
        match (&self.latents, settings.sampling) {
            (Some(latents), _) => Ok((Sampling::Given, latents.nrows())),
            (None, Sampling::Prior) => Ok((Sampling::Prior, settings.samples)),
            (None, Sampling::Data) => match &self.data {
                Some(data) => Ok((Sampling::Data, data.nrows())),
                None => Err(input("latents of the data need data", "give --data, and --encoder if there is one")),
            },
            (None, Sampling::Given) => Err(input("no latents were given", "give --latents, or let them be drawn from the prior")),
        }
    }

    pub(super) fn check_others(&self, ambient_dim: usize) -> Result<()> {
        if self.others.len() > MOST_OTHERS {
            return Err(input(&format!("{} further models were given", self.others.len()), &format!("give at most {MOST_OTHERS}")));
        }
        for (k, other) in self.others.iter().enumerate() {
            let (d, big_d) = (other.decoder.latent_dim(), other.decoder.ambient_dim());
            if big_d != ambient_dim {
                return Err(Error::Shape {
                    what: format!("the decoder gives {ambient_dim} values a sample, further model {} gives {big_d}", k + 1),
                    hint: Some("models are compared at the same data, in the same units".into()),
                });
            }
            if let Some(encoder) = other.encoder.as_ref().filter(|e| e.data_dim() != big_d || e.latent_dim() != d) {
                let (takes, gives) = (encoder.data_dim(), encoder.latent_dim());
                return Err(shape(format!(
                    "further model {} maps {d} latents to {big_d} values, its encoder {takes} values to {gives} latents",
                    k + 1
                )));
            }
        }
        Ok(())
    }

    pub(super) fn check_data(&self, ambient_dim: usize, sampling: Sampling) -> Result<()> {
        let Some(data) = &self.data else { return Ok(()) };
        check_finite("data", data)?;
        let width = data.ncols();
        if width != ambient_dim {
            return Err(shape(format!("the decoder gives {ambient_dim} values a sample, the data has {width}")));
        }
        if let Some(encoder) = self.encoder.as_ref().filter(|e| e.data_dim() != width) {
            return Err(shape(format!("the encoder takes {} values a row, the data has {width}", encoder.data_dim())));
        }
        if let Some(labels) = self.labels.as_ref().filter(|l| l.len() != data.nrows()) {
            return Err(shape(format!("there are {} labels and {} rows of data", labels.len(), data.nrows())));
        }
        let latent_dims = self.decoder.as_ref().zip(self.encoder.as_ref()).map(|(d, e)| (d.latent_dim(), e.latent_dim()));
        match latent_dims {
            Some((d, e)) if d != e && sampling == Sampling::Data => {
                Err(shape(format!("the decoder takes {d} latents a sample, the encoder gives {e}")))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn check_settings(settings: &Settings) -> Result<()> {
    if !(settings.level > 0.0 && settings.level < 1.0) {
        return Err(input(&format!("the level of intervals is {}, outside (0, 1)", settings.level), "such as 0.95"));
    }
    if !(0.0..=1.0).contains(&settings.max_bad) {
        return Err(input(&format!("the accepted share of bad samples is {}, outside [0, 1]", settings.max_bad), "such as 0.05"));
    }
    if settings.sketch == Some(0) {
        return Err(input("a sketch of 0 probes", "leave --sketch out, or give at least 1"));
    }
    if settings.chunk == Some(0) {
        return Err(input("a chunk of 0 samples", "leave --chunk out, or give at least 1"));
    }
    for (name, scale) in [("scale of the noise", settings.noise_scale), ("cut between spreads", settings.spread_cut)] {
        if let Some(scale) = scale.filter(|scale| !(scale.is_finite() && *scale > 0.0)) {
            return Err(input(&format!("the {name} is {scale}"), "give a positive number"));
        }
    }
    Ok(())
}

pub(super) fn check_finite(name: &str, array: &Array2<f64>) -> Result<()> {
    match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some(((row, column), x)) => Err(input(
            &format!("the {name} hold {x} in row {row}, column {column}; every value must be finite"),
            "remove or replace such rows",
        )),
    }
}
