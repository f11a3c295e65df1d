//! Given Jacobians from a file: an array, or a `.npz` file with what else is known at the same samples.

use std::path::Path;

use latlas::data::{self, Table};
use latlas::error::{Error, Result};
use latlas::models::Jacobians;
use latlas::models::arrays::factors;
use latlas::run::Inputs;
use latlas::samples::Prior;
use ndarray::Array3;

use crate::args::Axes;
use crate::failure::{Failure, Outcome};
use crate::inputs::noted;
use crate::shelf::Shelf;

/// Reads Jacobians into what goes into a run. A `.npz` file that holds `jac` may hold beside it `z [n, d]`, `x [n, D]`,
/// `log_det [n]`, `condition [n, …]` and `prior_std [d]`; what the command line names itself wins.
pub fn read(spec: &str, axes: Axes, scale: Option<&[f64]>, inputs: &mut Inputs, shelf: &Shelf) -> Outcome {
    let is_archive = spec.to_ascii_lowercase().ends_with(".npz");
    let keys = if is_archive { data::keys(Path::new(spec))? } else { Vec::new() };
    let has = |key: &str| keys.iter().any(|known| known == key);
    let member = |key: &str| has(key).then(|| data::read(&format!("{spec}:{key}"))).transpose();
    let jac = if has("jac") { format!("{spec}:jac") } else { spec.into() };
    let values = jacobians(&*noted("jacobians", &jac, shelf, &mut inputs.records)?, axes)?;
    let (_, big_d, d) = values.dim();
    let scaled = |given: Jacobians| -> Result<Jacobians> {
        Ok(match scale {
            Some(scale) => given.scaled(&factors(scale, big_d)?),
            None => given,
        })
    };
    if !has("jac") {
        inputs.jacobians = Some(scaled(values.into())?);
        return Ok(());
    }
    let known = ["jac", "z", "x", "log_det", "condition", "prior_std"];
    if let Some(other) = keys.iter().find(|key| !known.contains(&key.as_str())) {
        let what = format!("{spec} holds an array {other:?} beside `jac`, which means nothing here");
        return Err(Failure::usage(what, format!("known are {}", known.join(", "))));
    }
    let rows = |key: &str, what: &str, width: Option<usize>| -> Result<Option<ndarray::Array2<f64>>> {
        member(key)?.map(|table| data::finite_rows(&table, what, width)).transpose()
    };
    let log_det = rows("log_det", "log-determinants are one a sample", Some(1))?.map(|column| column.iter().copied().collect());
    let given = Jacobians { values, decoded: rows("x", "the Jacobians have values", Some(big_d))?, log_det };
    inputs.jacobians = Some(scaled(given.checked()?)?);
    if inputs.latents.is_none() {
        inputs.latents = rows("z", "the Jacobians have latents", Some(d))?;
    }
    if inputs.condition.is_none() {
        inputs.condition = rows("condition", "a condition", None)?;
    }
    if let (Prior::Normal, Some(std)) = (&inputs.prior, member("prior_std")?) {
        let std: Vec<f64> = std.values.iter().copied().collect();
        inputs.prior = Prior::Diagonal { mean: vec![0.0; std.len()], std }.checked(&format!("{spec}:prior_std"))?;
    }
    Ok(())
}

/// `[n, D…, d]`, or `[n, d, D…]`, with the axes of the data in one.
fn jacobians(table: &Table, axes: Axes) -> Result<Array3<f64>> {
    let shape = table.values.shape().to_vec();
    let fault = || {
        let (written, hint) = match axes {
            Axes::DataLatent => ("[n, D, d]", "sample first, then the decoded values, then the latents; --axes latent-data for [n, d, D]"),
            Axes::LatentData => ("[n, d, D]", "sample first, then the latents, then the decoded values"),
        };
        Error::Shape { what: format!("Jacobians have the shape {written}, {} has {shape:?}", table.name), hint: Some(hint.into()) }
    };
    if table.values.is_empty() {
        return Err(fault());
    }
    let flat = match (axes, &shape[..]) {
        (Axes::DataLatent, [n, ambient @ .., d]) if !ambient.is_empty() => (*n, ambient.iter().product::<usize>(), *d),
        (Axes::LatentData, [n, d, ambient @ ..]) if !ambient.is_empty() => (*n, *d, ambient.iter().product()),
        _ => return Err(fault()),
    };
    let values = table.values.as_standard_layout().into_owned().into_shape_with_order(flat).map_err(|_| fault())?;
    Ok(match axes {
        Axes::DataLatent => values,
        Axes::LatentData => values.permuted_axes([0, 2, 1]).as_standard_layout().into_owned(),
    })
}
