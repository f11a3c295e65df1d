//! From the command line to what goes into a run: files are read, shapes checked, and what was guessed is told.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use latlas::codes::Kind;
use latlas::data::sprites::Style;
use latlas::data::{self, Table};
use latlas::error::{Error, Result};
use latlas::models::{Decoder, Encoder, OnnxDecoder, OnnxEncoder};
use latlas::report::InputRecord;
use latlas::run::{CodeInputs, Dtype, Inputs, Other};
use latlas::samples::Prior;

use crate::args::{CodeOptions, ModelOptions, SampleOptions};
use crate::dump;
use crate::failure::{Failure, Outcome};
use crate::geometry::GeometryOptions;
use crate::models::{decoder, encoder, name_of};
use crate::shelf::{GIVEN, Shelf};

/// What was read.
pub struct Gathered {
    /// For the run.
    pub inputs: Inputs,
    /// What was guessed.
    pub notes: Vec<String>,
    /// The decoder with its heads, where it is a file whose mean is decoded.
    onnx: Option<Arc<OnnxDecoder>>,
}

impl Gathered {
    /// With the metric that the embedding gives the latents, where they have one: a decoder of one condition at most.
    pub fn with_geometry(mut self, geometry: &GeometryOptions, shelf: &Shelf) -> Outcome<Self> {
        let embedding = geometry.embedding(Dtype::F64, shelf)?;
        let Some(onnx) = &self.onnx else { return Ok(self) };
        let onnx = onnx.precise().unwrap_or_else(|| Arc::clone(onnx));
        self.inputs.manifold = match (&self.inputs.condition, onnx.condition_dim()) {
            (_, None) => Some(embedding.manifold(&onnx)?),
            (Some(rows), Some(_)) if rows.nrows() == 1 => Some(embedding.manifold(&onnx.at_condition(&rows.row(0).to_vec())?)?),
            _ => None,
        };
        Ok(self)
    }
}

/// Reads everything that a run was given.
pub fn gather(model: Option<&str>, options: &ModelOptions, samples: &SampleOptions, dtype: Dtype, shelf: &Shelf) -> Outcome<Gathered> {
    let mut inputs = Inputs::default();
    let mut notes = Vec::new();
    let mut onnx = None;
    let scale = samples.data_scale.as_deref().map(|spec| data_scale(spec, shelf, &mut inputs.records)).transpose()?;
    let scale = scale.as_deref();
    if let Some(spec) = model {
        let model = decoder(spec, options, dtype, shelf, Ok)?.in_units(scale)?;
        notes = model.notes;
        let shape = [model.decoder.latent_dim(), model.decoder.ambient_dim()];
        inputs.records.push(model_record("model", &model.name, &model.sha256, shape));
        inputs.decoder = Some(model.decoder);
        onnx = model.onnx.filter(|_| options.output.is_none());
    }
    if let Some(spec) = &samples.encoder {
        let encoder = encoder_in_units(spec, dtype, scale, shelf)?;
        inputs.records.push(encoder_record("encoder", &encoder));
        inputs.encoder = Some(encoder);
    }
    inputs.others = others(samples, dtype, scale, shelf, &mut inputs.records)?;
    let (d, big_d, c) = inputs
        .decoder
        .as_ref()
        .map_or((None, None, None), |decoder| (Some(decoder.latent_dim()), Some(decoder.ambient_dim()), decoder.condition_dim()));
    let records = &mut inputs.records;
    let latents = table("latents", samples.latents.as_ref(), shelf, records)?;
    inputs.latents = latents.map(|table| data::finite_rows(&table, "the decoder takes latents", d)).transpose()?;
    let sprites = samples.data.as_ref().and_then(|spec| sprites(spec)).filter(|_| samples.encoder.is_some() && model.is_none());
    let rows = table("data", samples.data.as_ref().filter(|_| sprites.is_none()), shelf, records)?;
    inputs.codes.sprites = sprites;
    inputs.data = rows.map(|table| data::finite_rows(&table, "the decoder gives values", big_d)).transpose()?;
    inputs.labels = table("labels", samples.labels.as_ref(), shelf, records)?.map(|table| classes(&table)).transpose()?;
    let rows = table("condition", samples.condition.as_ref(), shelf, records)?;
    inputs.condition = rows.map(|table| data::finite_rows(&table, "the decoder takes a condition", c)).transpose()?;
    let fitted = model.and_then(fitted_prior);
    if let (None, Some(path)) = (&samples.prior, &fitted) {
        notes.push(format!("prior: {path}, which was fitted with the model (--prior normal for N(0, I))"));
    }
    match samples.prior.as_ref().or(fitted.as_ref()) {
        None => {}
        Some(spec) if is_mixture(spec)? => inputs.prior = mixture(spec, d, shelf, records)?,
        Some(spec) if is_data_file(spec) => {
            if let Some(rows) = table("prior", Some(spec), shelf, records)? {
                inputs.prior = Prior::empirical(&data::finite_rows(&rows, "the decoder takes latents", d)?)?;
            }
        }
        Some(spec) => inputs.prior = Prior::parse(spec)?,
    }
    if let Some(spec) = &samples.jacobians {
        dump::read(spec, samples.axes, scale, &mut inputs, shelf)?;
    }
    Ok(Gathered { inputs, notes, onnx })
}

/// Reads codes and factors into what goes into a run.
pub fn codes(options: &CodeOptions, inputs: &mut Inputs, shelf: &Shelf) -> Outcome {
    let records = &mut inputs.records;
    // What is not finite is counted by the run, and a label may be missing.
    let mut rows = |role: &str, spec: Option<&String>, what: &str| -> Result<Option<ndarray::Array2<f64>>> {
        table(role, spec, shelf, records)?.map(|table| data::rows(&table, what, None)).transpose()
    };
    let codes = CodeInputs {
        codes: rows("codes", options.codes.as_ref(), "codes")?,
        log_variance: rows("codes-logvar", options.codes_logvar.as_ref(), "log variances")?,
        factors: rows("factors", options.factors.as_ref(), "factors")?,
        test_codes: rows("test-codes", options.test_codes.as_ref(), "test codes")?,
        test_factors: rows("test-factors", options.test_factors.as_ref(), "test factors")?,
        kinds: options.factor_kinds.as_ref().map_or(Ok(Vec::new()), |words| words.split(',').map(Kind::parse).collect())?,
        ..CodeInputs::default()
    };
    let grid = table("code-table", options.code_table.as_ref(), shelf, records)?.map(|table| code_table(&table)).transpose()?;
    if codes.factors.is_some() && codes.codes.is_none() && grid.is_none() && inputs.encoder.is_none() {
        return Err(Failure::usage("factors were given without codes", "give --codes, or --data with --encoder"));
    }
    inputs.codes = CodeInputs { table: grid, sprites: inputs.codes.sprites, ..codes };
    Ok(())
}

/// The set of sprites that a name stands for.
fn sprites(spec: &str) -> Option<Style> {
    let id = spec.strip_prefix("builtin:")?;
    data::SPRITES.iter().find(|(name, _)| *name == id).map(|(_, style)| *style)
}

/// `[v1, …, vK, L]` as the sizes of the factors and a row for every combination.
fn code_table(table: &Table) -> Result<(Vec<usize>, ndarray::Array2<f64>)> {
    let shape = table.values.shape().to_vec();
    let fault = || Error::Shape {
        what: format!("a table of codes has the shape [v1, …, vK, L], {} has {shape:?}", table.name),
        hint: Some("one axis for each factor, the codes last".into()),
    };
    match &shape[..] {
        [sizes @ .., l] if !sizes.is_empty() && !table.values.is_empty() => {
            let flat = (sizes.iter().product::<usize>(), *l);
            let codes = table.values.as_standard_layout().into_owned().into_shape_with_order(flat).map_err(|_| fault())?;
            Ok((sizes.to_vec(), codes))
        }
        _ => Err(fault()),
    }
}

/// Further models with their encoders.
fn others(
    samples: &SampleOptions,
    dtype: Dtype,
    scale: Option<&[f64]>,
    shelf: &Shelf,
    records: &mut Vec<InputRecord>,
) -> Outcome<Vec<Other>> {
    if samples.other_encoder.len() > samples.other.len() {
        let (encoders, models) = (samples.other_encoder.len(), samples.other.len());
        return Err(Failure::usage(
            format!("{encoders} encoders were given for {models} further models"),
            "give --other-encoder once for each --other, in the same order",
        ));
    }
    let mut others = Vec::new();
    for (k, spec) in samples.other.iter().enumerate() {
        let model = decoder(spec, &ModelOptions::default(), dtype, shelf, Ok)?.in_units(scale)?;
        records.push(model_record("other", &model.name, &model.sha256, [model.decoder.latent_dim(), model.decoder.ambient_dim()]));
        let mut reversed: Option<Arc<dyn Encoder>> = None;
        if let Some(spec) = samples.other_encoder.get(k) {
            let encoder = encoder_in_units(spec, dtype, scale, shelf)?;
            records.push(encoder_record("other-encoder", &encoder));
            reversed = Some(encoder);
        }
        others.push(Other { decoder: model.decoder, encoder: reversed });
    }
    Ok(others)
}

/// An encoder that takes data in the unit of the decoders.
fn encoder_in_units(spec: &str, dtype: Dtype, scale: Option<&[f64]>, shelf: &Shelf) -> Outcome<Arc<OnnxEncoder>> {
    let encoder = encoder(spec, dtype, shelf)?;
    Ok(match scale {
        Some(scale) => Arc::new(encoder.with_data_scale(scale)?),
        None => encoder,
    })
}

/// The factors of another unit: written out, or in a file.
fn data_scale(spec: &str, shelf: &Shelf, records: &mut Vec<InputRecord>) -> Outcome<Vec<f64>> {
    if let Ok(factor) = spec.parse() {
        return Ok(vec![factor]);
    }
    Ok(noted("data-scale", spec, shelf, records)?.values.iter().copied().collect())
}

/// Reads an array, where there is one, and notes where it came from.
fn table<'a>(role: &str, spec: Option<&String>, shelf: &'a Shelf, records: &mut Vec<InputRecord>) -> Result<Option<Cow<'a, Table>>> {
    spec.map(|spec| noted(role, spec, shelf, records)).transpose()
}

/// Reads an array and notes where it came from.
pub fn noted<'a>(role: &str, spec: &str, shelf: &'a Shelf, records: &mut Vec<InputRecord>) -> Result<Cow<'a, Table>> {
    let table = shelf.read(spec)?;
    let (path, sha256, shape) = (table.name.clone(), table.sha256.clone(), table.values.shape().to_vec());
    records.push(InputRecord { role: role.into(), path, sha256, shape });
    Ok(table)
}

fn model_record(role: &str, spec: &str, sha256: &str, shape: [usize; 2]) -> InputRecord {
    InputRecord { role: role.into(), path: name_of(spec), sha256: sha256.into(), shape: shape.into() }
}

fn encoder_record(role: &str, encoder: &OnnxEncoder) -> InputRecord {
    model_record(role, &encoder.path().to_string_lossy(), encoder.sha256(), [encoder.data_dim(), encoder.latent_dim()])
}

/// The prior that a training left beside its decoder.
fn fitted_prior(model: &str) -> Option<String> {
    let path = Path::new(model);
    let is_file = path.file_name()? == "decoder.onnx" && path.is_file();
    let prior = path.with_file_name(latlas::training::PRIOR);
    (is_file && prior.is_file()).then(|| prior.to_string_lossy().into_owned())
}

/// Whether a prior is written as a file of latents and not by its name or as JSON.
fn is_data_file(spec: &str) -> bool {
    let is_file = spec.contains('.') && !spec.to_ascii_lowercase().ends_with(".json") && !spec.starts_with("uniform:");
    spec.starts_with("builtin:") || spec.starts_with(GIVEN) || is_file
}

/// Whether a prior is a `.npz` file with the means of a mixture.
fn is_mixture(spec: &str) -> Result<bool> {
    Ok(spec.to_ascii_lowercase().ends_with(".npz") && data::keys(Path::new(spec))?.iter().any(|key| key == "means"))
}

/// A mixture from a `.npz` file: means `[K, d]`, and where they are there stds `[K, d]` (else 1) and weights `[K]` (else equal).
fn mixture(spec: &str, d: Option<usize>, shelf: &Shelf, records: &mut Vec<InputRecord>) -> Result<Prior> {
    let keys = data::keys(Path::new(spec))?;
    let mut rows = |key: &str, width: Option<usize>| -> Result<Option<Vec<Vec<f64>>>> {
        let Some(key) = keys.iter().find(|known| *known == key) else { return Ok(None) };
        let table = noted("prior", &format!("{spec}:{key}"), shelf, records)?;
        let rows = data::finite_rows(&table, &format!("the prior's {key} are for latents"), width)?;
        Ok(Some(rows.outer_iter().map(|row| row.to_vec()).collect()))
    };
    let means = rows("means", d)?.unwrap_or_default();
    let (k, d) = (means.len(), means.first().map_or(0, Vec::len));
    let stds = rows("stds", Some(d))?.unwrap_or_else(|| vec![vec![1.0; d]; k]);
    let weights = rows("weights", None)?.map_or_else(|| vec![1.0; k], |rows| rows.concat());
    let total: f64 = weights.iter().sum();
    Prior::Mixture { weights: weights.iter().map(|w| w / total).collect(), means, stds }.checked(spec)
}

/// Labels as whole numbers.
pub fn classes(table: &Table) -> Result<Vec<i64>> {
    let rows = data::finite_rows(table, "labels are columns", Some(1))?;
    let whole = |x: &f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(*x as i64);
    rows.iter().map(whole).collect::<Option<_>>().ok_or_else(|| Error::Input {
        what: format!("{} holds labels that are not whole numbers", table.name),
        hint: Some("number the classes".into()),
    })
}
