//! The page as a whole: what it must hold for every kind of model, and what may never get into it.

#![allow(clippy::unwrap_used)]

mod decoders;
mod markup;

use std::sync::Arc;

use base64::Engine;
use latlas::report::atlas::{self, Atlas, PageOptions};
use latlas::report::{InputRecord, html, json, maps};
use latlas::run::{Inputs, Settings, run};
use latlas::samples::Prior;
use ndarray::Array2;
use sha2::{Digest, Sha256};

use decoders::{CentreOfBrightness, bends, spot};
use markup::check_markup;

fn record(role: &str, path: &str) -> InputRecord {
    InputRecord { role: role.into(), path: path.into(), sha256: "0123456789abcdef".repeat(4), shape: vec![2, 64] }
}

fn atlas_of(inputs: &Inputs, samples: usize, options: &PageOptions) -> Atlas {
    let settings = Settings { samples, ..Settings::default() };
    let report = run(&["entropy".into()], inputs, &settings, &|_, _| {}).unwrap();
    atlas::compose(inputs, report, options).unwrap()
}

/// Two latents, pictures, codes with labels.
fn plane() -> Inputs {
    let decoder = spot(2, 8, 1, true);
    let z = Prior::Normal.draw(7, 0..600, 2);
    let data = decoder.decode(z.view(), None).unwrap();
    let labels = z.outer_iter().map(|z| i64::from(z[0] > 0.0) * 2 + i64::from(z[1] > 0.0)).collect();
    Inputs {
        decoder: Some(decoder),
        encoder: Some(Arc::new(CentreOfBrightness { side: 8 })),
        data: Some(data),
        labels: Some(labels),
        records: vec![record("model", "spot.onnx"), record("data", "builtin:spots")],
        ..Inputs::default()
    }
}

/// Many latents, most of them dead, colour pictures.
fn dead() -> Inputs {
    Inputs { decoder: Some(spot(16, 12, 3, false)), records: vec![record("model", "colour.onnx")], ..Inputs::default() }
}

/// A square table of 7 latents, no pictures.
fn table() -> Inputs {
    Inputs { decoder: Some(bends(7)), records: vec![record("model", "bends.onnx")], ..Inputs::default() }
}

/// With `LATLAS_PAGES` set to a folder the pages of these tests are written there to be looked at.
fn page(atlas: &Atlas, name: &str) -> String {
    let page = html::page(atlas).unwrap();
    if let Some(folder) = std::env::var_os("LATLAS_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), &page).unwrap();
    }
    page
}

fn options() -> PageOptions {
    PageOptions { command: Some("latlas report spot.onnx --samples 300".into()), ..PageOptions::default() }
}

fn has_figures(page: &str, ids: &[&str]) {
    let all = [
        "entropy-spectrum",
        "draws",
        "traversals",
        "averaged-columns",
        "latent-plane",
        "latent-plane-pictures",
        "singular-values",
        "conditioning",
        "log-volume",
    ];
    for id in all {
        assert_eq!(page.contains(&format!("id=\"figure-{id}\"")), ids.contains(&id), "{id}");
    }
}

#[test]
fn two_latents_with_pictures_and_codes() {
    let inputs = plane();
    let atlas = atlas_of(&inputs, 300, &options());
    let page = page(&atlas, "plane");
    check_markup(&page);
    has_figures(
        &page,
        &[
            "entropy-spectrum",
            "traversals",
            "averaged-columns",
            "latent-plane",
            "latent-plane-pictures",
            "singular-values",
            "conditioning",
            "log-volume",
        ],
    );
    let plane = atlas.plane.as_ref().unwrap();
    assert_eq!((plane.codes.nrows(), plane.classes.len(), plane.log_volume.values.dim()), (600, 4, (61, 61)));
    // The map agrees with the decoder's own Gram determinant where it is largest and in a corner.
    for (row, column) in [(30, 30), (0, 60)] {
        let at = |k: usize, (low, high): (f64, f64)| low + (high - low) * (k as f64 + 0.5) / 61.0;
        let z = Array2::from_shape_vec((1, 2), vec![at(column, plane.extent[0]), at(row, plane.extent[1])]).unwrap();
        let gram = inputs.decoder.as_ref().unwrap().linearize(z.view(), None).unwrap().gram().unwrap();
        let det = gram[[0, 0, 0]] * gram[[0, 1, 1]] - gram[[0, 0, 1]].powi(2);
        assert!((plane.log_volume.values[[row, column]] - 0.5 * det.ln()).abs() < 1e-9);
    }
    // The traversal's middle is the decoded mean of the prior, its ends are 2.5 standard deviations away.
    let traversals = atlas.traversals.as_ref().unwrap();
    let centre = inputs.decoder.as_ref().unwrap().decode(Array2::zeros((1, 2)).view(), None).unwrap();
    assert!(traversals.decoded.outer_iter().all(|row| row.row(5) == centre.row(0)));
    assert_eq!((traversals.steps[0], traversals.steps[10]), (-2.5, 2.5));
    assert!(page.contains("2 latent directions, both in use") && page.contains("latlas report spot.onnx --samples 300"));
}

#[test]
fn dead_latents_in_colour() {
    let inputs = dead();
    let atlas = atlas_of(&inputs, 64, &options());
    let page = page(&atlas, "dead");
    check_markup(&page);
    assert!(page.contains("16 latent directions, of which 3 are in use and 13 move nothing"), "{}", &page[..3000]);
    assert!(page.contains("−∞") && page.contains("caveat-dead-column"));
    // With many latents the others rest at a draw: the first that is shown.
    let traversals = atlas.traversals.as_ref().unwrap();
    assert_eq!((traversals.latents.len(), traversals.base), (12, atlas::Base::Draw));
    let draw = Prior::Normal.draw(0, 0..1, 16);
    let decoded = inputs.decoder.as_ref().unwrap().decode(draw.view(), None).unwrap();
    let dead = traversals.latents.iter().position(|i| *i > 2).unwrap();
    assert!(traversals.decoded.outer_iter().nth(dead).unwrap().outer_iter().all(|x| x == decoded.row(0)));
    assert_eq!(atlas.draws.as_ref().unwrap().row(0), decoded.row(0));
    assert!(page.contains("id=\"figure-draws\""));
}

#[test]
fn a_table_of_outputs() {
    let atlas = atlas_of(&table(), 200, &options());
    let page = page(&atlas, "table");
    check_markup(&page);
    has_figures(
        &page,
        &["entropy-spectrum", "traversals", "averaged-columns", "latent-plane", "singular-values", "conditioning", "log-volume"],
    );
    assert!(page.contains("output index"));
}

/// More than two latents: the plane through three draws, named on the page, and its maps as files.
#[test]
fn a_plane_through_three_points() {
    let inputs = table();
    let atlas = atlas_of(&inputs, 100, &PageOptions { plane: Some([4, 0, 9]), grid: 20, ..options() });
    let plane = atlas.plane.as_ref().unwrap();
    let draws = Prior::Normal.draw(0, 0..10, 7);
    for (anchor, draw) in plane.place.anchors.iter().zip([4, 0, 9]) {
        assert_eq!(anchor.name, format!("draw {draw} from the prior"));
        let s = Array2::from_shape_vec((1, 2), anchor.at.to_vec()).unwrap();
        assert!((&plane.place.subspace.points(s.view()).row(0) - &draws.row(draw)).iter().all(|e| e.abs() < 1e-12));
    }
    // A cell against the Gram determinant of the decoder along the plane.
    let at = |k: usize, (low, high): (f64, f64)| low + (high - low) * (k as f64 + 0.5) / 20.0;
    let s = Array2::from_shape_vec((1, 2), vec![at(3, plane.extent[0]), at(17, plane.extent[1])]).unwrap();
    let z = plane.place.subspace.points(s.view());
    let columns = inputs.decoder.as_ref().unwrap().linearize(z.view(), None).unwrap().columns().unwrap();
    let along = plane.place.subspace.basis.dot(&columns.index_axis(ndarray::Axis(0), 0));
    let gram = along.dot(&along.t());
    let volume = 0.5 * (gram[[0, 0]] * gram[[1, 1]] - gram[[0, 1]].powi(2)).ln();
    assert!((plane.log_volume.values[[17, 3]] - volume).abs() < 1e-9);
    let page = page(&atlas, "three-points");
    check_markup(&page);
    assert!(page.contains("through A (draw 4 from the prior), B (draw 0 from the prior) and C (draw 9 from the prior)"));

    let files = maps::files(plane).unwrap();
    let description = files.iter().find(|file| file.name == maps::NAME).unwrap();
    let text = String::from_utf8(description.bytes.clone()).unwrap();
    let ranges = maps::ranges_of(&text).unwrap();
    assert_eq!(ranges.get("decoder-log-volume").copied(), plane.log_volume.range);
    for end in ["npy", "png"] {
        assert!(files.iter().any(|file| file.name == format!("latent-plane-jacobian-condition.{end}")));
    }
    // Another model's maps take these colours.
    let others = PageOptions { map_ranges: ranges.clone(), grid: 20, ..options() };
    let other = atlas_of(&Inputs { decoder: Some(bends(4)), ..Inputs::default() }, 50, &others);
    assert_eq!(other.plane.unwrap().log_volume.range, plane.log_volume.range);
    assert!(maps::ranges_of("{}").is_err() && maps::ranges_of("{\"maps\": [{\"id\": \"x\", \"low\": 1, \"high\": 1}]}").is_err());
}

/// An encoder of other latents has no codes on the plane of this decoder.
#[test]
fn codes_of_other_latents_are_left_out() {
    let inputs = Inputs { decoder: Some(spot(5, 8, 1, true)), ..plane() };
    let report = latlas::report::Report::default();
    let atlas = atlas::compose(&inputs, report, &PageOptions { grid: 15, ..options() }).unwrap();
    let plane = atlas.plane.unwrap();
    assert_eq!((plane.codes.nrows(), plane.rows, plane.place.anchors[0].name.as_str()), (0, 0, "draw 0 from the prior"));
}

/// Rows that lie on a line span no plane: an error where they were asked for, no map where they were not.
#[test]
fn planes_that_do_not_exist() {
    let on_a_line = Array2::from_shape_fn((6, 7), |(i, j)| i as f64 * (j as f64 - 2.5));
    let inputs = Inputs { latents: Some(on_a_line), ..table() };
    let settings = Settings { samples: 6, ..Settings::default() };
    let report = run(&["entropy".into()], &inputs, &settings, &|_, _| {}).unwrap();
    assert!(atlas::compose(&inputs, report.clone(), &options()).unwrap().plane.is_none());
    let with = |rows| atlas::compose(&inputs, report.clone(), &PageOptions { plane: Some(rows), ..options() }).unwrap_err().to_string();
    assert!(with([0, 1, 2]).contains("lies among the others"));
    assert!(with([0, 1, 6]).contains("row 6 of the latents, which have 6 rows"));
}

#[test]
fn jacobians_alone_and_nothing_at_all() {
    let jacobians =
        bends(3).linearize(Prior::Normal.draw(1, 0..50, 3).view(), None).unwrap().jacobian().unwrap().as_standard_layout().to_owned();
    let inputs = Inputs { jacobians: Some(jacobians.into()), records: vec![record("jacobians", "j.npy")], ..Inputs::default() };
    let atlas = atlas_of(&inputs, 50, &options());
    let given = page(&atlas, "jacobians");
    check_markup(&given);
    assert!(atlas.traversals.is_none() && given.contains("j.npy"));
    let empty = atlas::compose(&Inputs::default(), latlas::report::Report::default(), &PageOptions::default()).unwrap();
    check_markup(&page(&empty, "empty"));
}

#[test]
fn foreign_names_are_only_ever_text() {
    let evil = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}\"'`";
    let mut inputs = plane();
    inputs.records = vec![record("model", evil), record(evil, evil)];
    let mut atlas = atlas_of(&inputs, 60, &PageOptions { command: Some(evil.into()), ..PageOptions::default() });
    atlas.plane.as_mut().unwrap().classes[1] = evil.into();
    let report = &mut atlas.report;
    report.settings.insert(evil.into(), serde_json::json!({ evil: evil }));
    report.citations.push(evil.into());
    report.invariants.push(latlas::estimate::Invariant { id: evil.into(), holds: false, worst: f64::NAN, tolerance: f64::INFINITY });
    for estimate in &mut report.estimates {
        estimate.title = format!("{} {evil}", estimate.title);
        estimate.unit = evil.into();
        estimate.axes = vec![evil.into(); estimate.axes.len()];
        estimate.dropped.insert(evil.into(), 3);
        estimate.caveats.push(latlas::caveat::Caveat { id: evil.into(), message: evil.into() });
        estimate.extra.insert(evil.into(), serde_json::json!(1));
    }
    let page = page(&atlas, "evil");
    check_markup(&page);
    for forbidden in ["<script", "<img", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    let text = latlas::report::table::render(&atlas.report, latlas::report::table::Options::default());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'));
}

#[test]
fn the_policy_allows_this_style_and_nothing_else() {
    let page = page(&atlas_of(&table(), 40, &options()), "policy");
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#39;", "'");
    assert_eq!(policy, format!("default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"));
    assert!(!page.contains(" style=\""), "the policy forbids style attributes");
    for outside in ["http://", "https://", "url(", "@import"] {
        let body = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!body.contains(outside), "{outside}");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let once = || {
        let atlas = atlas_of(&plane(), 80, &options());
        (html::page(&atlas).unwrap(), json::to_json(&atlas.report))
    };
    assert_eq!(once(), once());
}

#[test]
fn image_shapes_are_checked() {
    let report = latlas::report::Report::default();
    let with = |image: &str| atlas::compose(&plane(), report.clone(), &PageOptions { image: Some(image.into()), ..PageOptions::default() });
    assert!(with("8x9").unwrap_err().to_string().contains("the decoder gives 64"));
    assert!(with("none").unwrap().picture.is_none());
    assert_eq!(with("4x16").unwrap().picture.unwrap().shape.width, 16);
}
