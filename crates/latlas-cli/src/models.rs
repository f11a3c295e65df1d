//! From a name on the command line to a model: files and what ships with the program.

use std::path::Path;
use std::sync::Arc;

use latlas::data;
use latlas::error::Result;
use latlas::models::closed_form::{self, ClosedForm};
use latlas::models::onnx::{Heads, ModelFile, Options};
use latlas::models::{Decoder, OnnxDecoder, OnnxEncoder};
use latlas::run::Dtype;
use latlas_graph::Graph;

use crate::args::ModelOptions;
use crate::failure::{Failure, Outcome};
use crate::shelf::{GIVEN, Shelf};
use crate::suggest;

/// A decoder that was named on the command line.
pub struct Model {
    /// z → x.
    pub decoder: Arc<dyn Decoder>,
    /// What its ports were taken for, where there was something to choose.
    pub notes: Vec<String>,
    /// File, or `builtin:NAME`.
    pub name: String,
    /// Digest of the file, or of the formula's name.
    pub sha256: String,
    /// The same, where it is an ONNX file.
    pub onnx: Option<Arc<OnnxDecoder>>,
}

impl Model {
    /// In another unit of the data.
    pub fn in_units(self, scale: Option<&[f64]>) -> Outcome<Self> {
        let Some(scale) = scale else { return Ok(self) };
        let Some(onnx) = self.onnx else {
            return Err(Failure::usage("a formula has units of its own", "leave --data-scale out"));
        };
        let scaled = Arc::new(onnx.with_data_scale(scale)?);
        Ok(Self { decoder: Arc::clone(&scaled) as Arc<dyn Decoder>, onnx: Some(scaled), ..self })
    }
}

/// A decoder from a file or from inside the program: with the output that was asked for, or else as `prepare` leaves it.
pub fn decoder(
    spec: &str,
    options: &ModelOptions,
    dtype: Dtype,
    shelf: &Shelf,
    prepare: impl FnOnce(Arc<OnnxDecoder>) -> Result<Arc<OnnxDecoder>>,
) -> Outcome<Model> {
    if let Some(form) = closed_form(spec, options)? {
        let sha256 = data::sha256(spec.as_bytes());
        return Ok(Model { decoder: Arc::new(form), notes: Vec::new(), name: spec.into(), sha256, onnx: None });
    }
    let loaded = onnx_decoder(spec, options, dtype, shelf)?;
    let notes = notes_of(&loaded);
    let onnx = match &options.output {
        None => prepare(loaded)?,
        Some(name) => Arc::new(loaded.with_output(name)?),
    };
    let sha256 = onnx.sha256().to_string();
    let name = onnx.path().to_string_lossy().into_owned();
    Ok(Model { decoder: Arc::clone(&onnx) as Arc<dyn Decoder>, notes, name, sha256, onnx: Some(onnx) })
}

/// The closed form that a name means, if it means one.
pub fn closed_form(spec: &str, options: &ModelOptions) -> Outcome<Option<ClosedForm>> {
    let Some(id) = spec.strip_prefix("builtin:").filter(|id| is_closed_form(id)) else { return Ok(None) };
    if *options != ModelOptions::default() {
        return Err(Failure::usage(format!("{spec} is a formula and has no ports to name"), "leave the options for models out"));
    }
    Ok(Some(ClosedForm::named(id)?))
}

/// A decoder from an ONNX file, one that ships with the program, or one in memory.
pub fn onnx_decoder(spec: &str, options: &ModelOptions, dtype: Dtype, shelf: &Shelf) -> Outcome<Arc<OnnxDecoder>> {
    if let Some(decoder) = shelf.decoder(spec, dtype)? {
        let is_open = ModelOptions { output: None, ..options.clone() } == ModelOptions::default();
        let closed = || Failure::usage("the decoder is loaded and its ports are known", "name them where it is loaded");
        return if is_open { Ok(decoder) } else { Err(closed()) };
    }
    Ok(Arc::new(OnnxDecoder::of(&model_file(spec)?, &options.read(dtype))?))
}

/// Whether a built-in name, with or without parameters, is that of a closed form.
fn is_closed_form(id: &str) -> bool {
    let name = id.split(':').next().unwrap_or(id);
    closed_form::TABLE.iter().any(|entry| entry.id == name)
}

/// A model that takes data: an encoder, or features.
pub fn encoder(spec: &str, dtype: Dtype, shelf: &Shelf) -> Outcome<Arc<OnnxEncoder>> {
    if let Some(encoder) = shelf.encoder(spec, dtype) {
        return Ok(encoder);
    }
    Ok(Arc::new(OnnxEncoder::of(&model_file(spec)?, &Options::with_dtype(dtype))?))
}

/// A model file, or what ships with the program under this name.
pub fn model_file(spec: &str) -> Outcome<ModelFile> {
    Ok(match spec.strip_prefix("builtin:") {
        Some(id) => ModelFile::in_memory(spec, builtin(id)?),
        None => ModelFile::open(Path::new(spec))?,
    })
}

/// What was guessed of a model; nothing when there was nothing to choose.
pub fn notes_of(decoder: &OnnxDecoder) -> Vec<String> {
    let graph = decoder.graph();
    if graph.inputs.len() + graph.outputs.len() > 2 { decoder.notes() } else { Vec::new() }
}

fn builtin(id: &str) -> Outcome<&'static [u8]> {
    data::builtin_model(id).ok_or_else(|| {
        if is_closed_form(id) {
            return Failure::usage(format!("builtin:{id} is a formula, not an ONNX file"), "`latlas explain` has its page");
        }
        let known = data::MODELS.iter().map(|model| model.id).chain(closed_form::TABLE.iter().map(|entry| entry.id));
        Failure::usage(format!("there is no built-in model `{id}`"), suggest::hint(id, known, "`latlas list models` shows them"))
    })
}

/// File name without its folder, or `builtin:NAME`.
pub fn name_of(spec: &str) -> String {
    if spec.starts_with("builtin:") {
        return spec.into();
    }
    Path::new(spec).file_name().map_or_else(|| spec.into(), |name| name.to_string_lossy().into_owned())
}

/// Whether a word of the command line can only be a model, not the id of an estimator.
pub fn names_a_model(word: &str) -> bool {
    word.starts_with("builtin:") || word.starts_with(GIVEN) || word.contains(['.', '/', '\\']) || Path::new(word).is_file()
}

impl ModelOptions {
    /// As the library takes them.
    pub fn read(&self, dtype: Dtype) -> Options {
        Options {
            from_tensors: self.from_tensor.clone(),
            to_tensors: self.to_tensor.clone(),
            latent: self.input.clone(),
            condition: self.condition_input.clone(),
            mean: self.mean.clone(),
            logvar: self.logvar.clone(),
            std: self.std.clone(),
            logits: self.logits.clone(),
            log_det: self.log_det.clone(),
            dtype,
        }
    }

    /// The ports of a graph: the heads, and the output that was asked for.
    pub fn ports(&self, graph: &Graph) -> Result<(Heads, usize)> {
        let heads = Heads::choose(graph, &self.read(Dtype::F64))?;
        let output = self.output.as_ref().map(|name| graph.output(name)).transpose()?.unwrap_or(heads.mean);
        Ok((heads, output))
    }
}
