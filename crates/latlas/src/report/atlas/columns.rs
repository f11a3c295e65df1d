//! Averaged Jacobian columns, as a page shows them.

use ndarray::Array2;
use serde_json::Value as Json;

use crate::estimate::Value;
use crate::report::Report;
use crate::report::extra::numbers;

/// Averaged Jacobian columns.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The latents shown, in order of entropy.
    pub latents: Vec<usize>,
    /// E Jᵢ: `[latents, D]`.
    pub mean: Array2<f64>,
    /// ‖E Jᵢ‖² / E ‖Jᵢ‖² for each latent shown, where the estimate has it.
    pub coherence: Option<Vec<f64>>,
    /// The same of every class, where classes are told apart.
    pub classes: Vec<ClassColumns>,
}

/// Averaged Jacobian columns of one class.
#[derive(Debug, Clone)]
pub struct ClassColumns {
    /// Its name.
    pub name: String,
    /// E x: `[D]`, where the estimate has it.
    pub mean: Option<Vec<f64>>,
    /// E Jᵢ: `[latents, D]`, the latents as above.
    pub columns: Array2<f64>,
    /// ‖E Jᵢ‖² / E ‖Jᵢ‖² for each latent shown.
    pub coherence: Option<Vec<f64>>,
}

/// The averaged columns of the latents that are shown.
pub fn columns(report: &Report, shown: &[usize]) -> Option<Columns> {
    let estimate = report.estimate("averaged-columns")?;
    let Value::Matrix(rows) = &estimate.value else { return None };
    let latents: Vec<usize> = shown.iter().copied().filter(|i| *i < rows.len()).collect();
    let pick = |rows: &[Vec<f64>]| -> Option<Array2<f64>> {
        let values: Vec<f64> = latents.iter().flat_map(|i| rows[*i].iter().copied()).collect();
        Array2::from_shape_vec((latents.len(), rows.first()?.len()), values).ok()
    };
    let coherence = |json: Option<&Json>| {
        let all = numbers(json).filter(|c| c.len() == rows.len());
        all.map(|c| latents.iter().map(|i| c[*i]).collect::<Vec<f64>>())
    };
    let class = |class: &Json| -> Option<ClassColumns> {
        let of_class: Vec<Vec<f64>> = class.get("value")?.as_array()?.iter().map(|row| numbers(Some(row))).collect::<Option<_>>()?;
        if of_class.len() != rows.len() || of_class.iter().any(|row| row.len() != rows[0].len()) {
            return None;
        }
        let mean = numbers(class.get("mean_decoded")).filter(|mean| mean.len() == rows[0].len());
        let name = class.get("class")?.as_str()?.to_string();
        Some(ClassColumns { name, mean, columns: pick(&of_class)?, coherence: coherence(class.get("coherence")) })
    };
    let classes = estimate.extra.get("classes").and_then(Json::as_array).into_iter().flatten().filter_map(class).collect();
    Some(Columns { mean: pick(rows)?, coherence: coherence(estimate.extra.get("coherence")), classes, latents: latents.clone() })
}
