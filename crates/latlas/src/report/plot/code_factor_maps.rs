//! What codes and factors have to do with each other: information, importances, correlations and accuracies as maps.

use serde_json::Value as Json;

use super::axes::Scale;
use super::svg::{Anchor, LABEL, SMALL, Svg};
use super::{Figure, Width};
use crate::error::Result;
use crate::estimate::Estimate;
use crate::report::atlas::Atlas;
use crate::report::colour::{INK, Map};
use crate::report::extra::{find, numbers};
use crate::report::image::Raster;
use crate::report::number::about;

/// Scores whose matrix is drawn, in this order.
const SHOWN: [&str; 4] = ["mig", "dci-disentanglement", "sap-r2", "sap-svm"];
/// What has no value.
const NOTHING: [u8; 3] = [232, 232, 232];
/// Codes drawn at most.
const MOST: usize = 200;

/// A matrix of codes and factors.
struct Picture {
    name: String,
    unit: String,
    codes: Vec<usize>,
    factors: Vec<usize>,
    rows: Vec<Vec<f64>>,
    high: f64,
}

impl Picture {
    fn of(estimate: &Estimate) -> Option<Self> {
        let matrix = find(estimate, &["matrix"])?;
        let word = |key: &str| matrix.get(key).and_then(Json::as_str).map(String::from);
        let whole = |key: &str| Some(numbers(matrix.get(key))?.into_iter().map(|x| x as usize).collect::<Vec<usize>>());
        let rows: Vec<Vec<f64>> = matrix.get("values")?.as_array()?.iter().map(|row| numbers(Some(row))).collect::<Option<_>>()?;
        let high = rows.iter().flatten().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
        let (codes, factors) = (whole("codes")?, whole("factors")?);
        let fits = rows.len() == codes.len() && rows.iter().all(|row| row.len() == factors.len()) && !factors.is_empty();
        (fits && !rows.is_empty() && rows.len() <= MOST && high > 0.0).then_some(Self {
            name: word("name")?,
            unit: word("unit")?,
            codes,
            factors,
            rows,
            high,
        })
    }

    fn draw(&self, svg: &mut Svg, (left, top): (f64, f64), (width, height): (f64, f64)) -> Result<()> {
        let (columns, rows) = (self.factors.len(), self.codes.len());
        let colour = |x: f64| if x.is_finite() { Map::Cividis.at(x / self.high) } else { NOTHING };
        let raster = Raster::draw(columns, rows, |k, l| colour(self.rows[l][k]));
        let title = if self.unit == "1" { self.name.clone() } else { format!("{} ({})", self.name, self.unit) };
        svg.text((left, top - 9.0), Anchor::Start, LABEL, &title);
        svg.image((left, top), (width, height), &raster.data_uri()?, true);
        svg.outline((left, top), (width, height), INK);
        let every = |size: f64, n: usize| (16.0 * n as f64 / size).ceil().max(1.0) as usize;
        for (l, code) in self.codes.iter().enumerate().step_by(every(height, rows)) {
            let y = top + height * (l as f64 + 0.5) / rows as f64;
            svg.text((left - 6.0, y + 4.0), Anchor::End, SMALL, &code.to_string());
        }
        for (k, factor) in self.factors.iter().enumerate().step_by(every(width, columns)) {
            let x = left + width * (k as f64 + 0.5) / columns as f64;
            svg.text((x, top + height + 14.0), Anchor::Middle, SMALL, &factor.to_string());
        }
        svg.text((left + width / 2.0, top + height + 30.0), Anchor::Middle, LABEL, "factor");
        svg.upwards((left - 28.0, top + height / 2.0), LABEL, "code");
        let bar = Raster::draw(128, 1, |column, _| Map::Cividis.at(column as f64 / 127.0));
        let y = top + height + 42.0;
        svg.image((left, y), (width, 9.0), &bar.data_uri()?, false);
        let scale = Scale::linear((0.0, self.high), (left, left + width));
        for tick in scale.ticks(3) {
            svg.text((scale.at(tick.at), y + 22.0), Anchor::Middle, SMALL, &tick.label);
        }
        Ok(())
    }
}

/// From the matrices behind the scores.
pub fn draw(atlas: &Atlas, width: Width) -> Result<Option<Figure>> {
    let pictures: Vec<Picture> = SHOWN.iter().filter_map(|id| Picture::of(atlas.report.estimate(id)?)).collect();
    let Some(first) = pictures.first() else { return Ok(None) };
    let title = "Which code knows which factor".to_string();
    let names: Vec<&str> = pictures.iter().map(|p| p.name.as_str()).collect();
    let description = format!("Maps of {} codes and {} factors: {}.", first.codes.len(), first.factors.len(), names.join(", "));
    let w = width.pixels();
    let across = if width == Width::Wide { 2 } else { 1 };
    let side = if width == Width::Wide { 280.0 } else { w - 70.0 };
    let height_of = |p: &Picture| (p.codes.len() as f64 * 22.0).clamp(60.0, 240.0);
    let tallest = pictures.iter().map(height_of).fold(0.0, f64::max);
    let step = tallest + 100.0;
    let lines = pictures.len().div_ceil(across);
    let mut svg = Svg::new(&width.id("code-factor-maps"), w, step * lines as f64 + 8.0, &title, &description);
    for (place, picture) in pictures.iter().enumerate() {
        let (column, line) = (place % across, place / across);
        picture.draw(&mut svg, (54.0 + (side + 66.0) * column as f64, 26.0 + step * line as f64), (side, height_of(picture)))?;
    }
    let caption = format!(
        "Rows are codes, columns factors; each map has its own scale, from 0 to the largest entry (grey: undefined). Codes that hold one factor each give one bright cell in every row and column. The largest {} is {}.",
        first.name,
        about(first.high, 2)
    );
    Ok(Some(Figure { svg: svg.finish(), title, caption }))
}
