//! The singular values of the Jacobian: how unequally the decoder stretches, whatever the latent axes are.

use super::ranked::{Mark, Row, spread};
use super::{Figure, Width};
use crate::error::Result;
use crate::report::atlas::Atlas;
use crate::report::extra::{at, entries, entry, interval, quantiles};
use crate::report::number::{measured, short};

/// From the estimate `jacobian-spectrum`.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let Some(estimate) = atlas.report.estimate("jacobian-spectrum").filter(|e| !entries(&e.value).is_empty()) else {
        return Ok(None);
    };
    let marks: Vec<Mark> = (0..entries(&estimate.value).len())
        .filter_map(|k| {
            let (value, error) = entry(estimate, k)?;
            Some(Mark {
                label: (k + 1).to_string(),
                value,
                interval: interval(estimate, k),
                spread: spread(quantiles(estimate.extra.get("quantiles"), k)),
                said: measured(value, error).to_string(),
            })
        })
        .collect();
    let title = "Singular values of the Jacobian".to_string();
    let ends = [marks.first(), marks.last()].map(|m| m.map_or_else(String::new, |m| m.said.clone()));
    let description = format!("Mean singular values on a logarithmic axis, from {} down to {}.", ends[0], ends[1]);
    let row = Row {
        marks: &marks,
        vertical: "singular value σₖ",
        horizontal: "rank k, from the largest",
        reference: None,
        lines: &[],
        cut: None,
        log: true,
        below: "0",
    };
    let svg = row.draw(width, "singular-values", &title, &description);
    let mut caption = "Lengths of the axes of the ellipsoid into which the decoder turns a small latent ball, in data units per latent unit: mean over samples with its \
                       confidence interval (dots), middle half and 5 to 95 % of the samples (pale). Unlike the entropies above they do not \
                       depend on the choice of latent axes."
        .to_string();
    if let Some(rank) = at(estimate, &["effective_rank", "value"]) {
        let total = marks.len();
        let said = measured(rank, at(estimate, &["effective_rank", "standard_error"]));
        caption =
            format!("{caption} The effective rank is {said} of {total}: the motion is shared as if by {} equal directions.", short(rank));
    }
    Ok(Some(Figure { svg, title, caption }))
}
