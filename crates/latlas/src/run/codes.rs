//! From what a run was given to codes and factors: given ones, those of a whole grid, or the data through the encoder.

use ndarray::{Array2, Axis, Slice};
use rayon::prelude::*;
use sha2::Sha256;

use super::Inputs;
use super::inputs::hash_array;
use crate::codes::{ATTACK_ANGLES, Given, Kind, Matrix, SharedCodes, TableGiven};
use crate::data::sprites::{self, Style};
use crate::error::{Error, Result};
use crate::models::Encoder;
use crate::settings::Settings;

/// Rows that are encoded at once.
const ROWS: usize = 4096;
/// Sprites of a thread at once.
const BATCH: usize = 256;

/// Codes and factors that a run was given.
#[derive(Debug, Clone, Default)]
pub struct CodeInputs {
    /// `[n, L]`.
    pub codes: Option<Array2<f64>>,
    /// Log variances `[n, L]` of the posterior whose means the codes are.
    pub log_variance: Option<Array2<f64>>,
    /// How many values each factor has, and the codes of every combination, the last factor fastest.
    pub table: Option<(Vec<usize>, Array2<f64>)>,
    /// `[n, K]`; NaN where a label is missing.
    pub factors: Option<Array2<f64>>,
    /// A kind for each factor, guessed where it is not declared.
    pub kinds: Vec<Option<Kind>>,
    /// `[m, L]`.
    pub test_codes: Option<Array2<f64>>,
    /// `[m, K]`.
    pub test_factors: Option<Array2<f64>>,
    /// Pictures of all combinations of factors, which are drawn and encoded when they are needed.
    pub sprites: Option<Style>,
    /// Whether scores of codes are not wanted, though there is data with an encoder.
    pub is_off: bool,
}

impl CodeInputs {
    pub(super) fn hash(&self, digest: &mut Sha256) {
        use sha2::Digest;
        let arrays = [&self.codes, &self.log_variance, &self.factors, &self.test_codes, &self.test_factors];
        for array in arrays.into_iter().flatten() {
            hash_array(digest, Some(array));
        }
        hash_array(digest, self.table.as_ref().map(|(_, codes)| codes));
        digest.update(format!("{:?}{:?}{:?}", self.sprites, self.table.as_ref().map(|(sizes, _)| sizes), self.kinds));
    }

    /// Whether codes themselves were given.
    pub fn is_given(&self) -> bool {
        self.codes.is_some() || self.table.is_some() || self.sprites.is_some()
    }
}

impl Inputs {
    /// Whether there are codes, or data with an encoder that makes some.
    pub fn has_codes(&self) -> bool {
        !self.codes.is_off && (self.codes.is_given() || self.encoder.is_some() && self.data.is_some())
    }

    /// The codes of a run; `None` where there are none.
    ///
    /// # Errors
    /// Arrays that do not fit each other, factors that are no classes, what goes wrong in the encoder.
    pub(super) fn shared_codes(&self, settings: &Settings, is_attacked: bool) -> Result<Option<SharedCodes>> {
        if !self.has_codes() {
            return Ok(None);
        }
        let parts = &self.codes;
        let matrix = |array: &Option<Array2<f64>>| array.as_ref().map(Matrix::from);
        let mut given = Given {
            factors: matrix(&parts.factors),
            kinds: parts.kinds.clone(),
            test_codes: matrix(&parts.test_codes),
            test_factors: matrix(&parts.test_factors),
            log_variance: matrix(&parts.log_variance),
            table: parts.table.as_ref().map(|(sizes, codes)| TableGiven { sizes: sizes.clone(), codes: Matrix::from(codes) }),
            ..Given::default()
        };
        if let Some(codes) = &parts.codes {
            given.codes = Matrix::from(codes);
        } else if let Some(style) = parts.sprites {
            let encoder = self.encoder.as_deref().ok_or_else(|| no_codes("an encoder that makes some of pictures"))?;
            let codes = encoded_sprites(style, settings.seed, encoder)?;
            given.table = Some(TableGiven { sizes: sprites::SIZES.to_vec(), codes: Matrix::from(&codes) });
            given = given.drawn(settings.seed)?;
        } else if given.table.is_some() {
            given = given.drawn(settings.seed)?;
        } else {
            let (mean, log_variance) = self.encoded()?;
            given.codes = Matrix::from(&mean);
            given.log_variance = log_variance.as_ref().map(Matrix::from);
            if let (None, Some(labels)) = (&given.factors, &self.labels) {
                let column = Array2::from_shape_fn((labels.len(), 1), |(i, _)| labels[i] as f64);
                given.factors = Some(Matrix::from(&column));
                given.kinds = vec![Some(Kind::Categorical)];
            }
            if is_attacked && given.factors.is_some() {
                given.likelihood = self.turned_likelihood(settings, &ATTACK_ANGLES)?;
            }
        }
        SharedCodes::new(given, settings).map(Some)
    }

    /// Means and log variances of all rows of the data.
    fn encoded(&self) -> Result<(Array2<f64>, Option<Array2<f64>>)> {
        let (Some(encoder), Some(data)) = (&self.encoder, &self.data) else { return Err(no_codes("--codes, or --data with --encoder")) };
        let n = data.nrows();
        let mut mean = Array2::zeros((n, encoder.latent_dim()));
        let mut log_variance: Option<Array2<f64>> = None;
        for start in (0..n).step_by(ROWS) {
            let rows = Slice::from(start..(start + ROWS).min(n));
            let batch = data.slice_axis(Axis(0), rows);
            let condition = self.condition.as_ref().map(|c| c.slice_axis(Axis(0), if c.nrows() == n { rows } else { Slice::from(..1) }));
            let condition = condition.as_ref().and_then(|c| c.broadcast((batch.nrows(), c.ncols())));
            let posterior = encoder.encode(batch, condition)?;
            mean.slice_axis_mut(Axis(0), rows).assign(&posterior.mean);
            if let Some(logvar) = &posterior.logvar {
                let all = log_variance.get_or_insert_with(|| Array2::zeros(mean.dim()));
                all.slice_axis_mut(Axis(0), rows).assign(logvar);
            }
        }
        Ok((mean, log_variance))
    }
}

/// The means of the codes of all sprites.
fn encoded_sprites(style: Style, seed: u64, encoder: &dyn Encoder) -> Result<Array2<f64>> {
    if encoder.data_dim() != style.width() {
        let (takes, gives) = (encoder.data_dim(), style.width());
        return Err(Error::Shape { what: format!("the encoder takes {takes} values a row, a sprite has {gives}"), hint: None });
    }
    let mut codes = Array2::zeros((sprites::COUNT, encoder.latent_dim()));
    let batches: Vec<_> = codes.axis_chunks_iter_mut(Axis(0), BATCH).enumerate().collect();
    batches.into_par_iter().try_for_each(|(number, mut codes)| -> Result<()> {
        let mut pictures = Array2::zeros((codes.nrows(), style.width()));
        for (place, mut picture) in pictures.outer_iter_mut().enumerate() {
            if let Some(picture) = picture.as_slice_mut() {
                style.render(seed, number * BATCH + place, picture);
            }
        }
        codes.assign(&encoder.encode(pictures.view(), None)?.mean);
        Ok(())
    })?;
    Ok(codes)
}

fn no_codes(hint: &str) -> Error {
    Error::Input { what: "no codes were given".into(), hint: Some(format!("give {hint}")) }
}
