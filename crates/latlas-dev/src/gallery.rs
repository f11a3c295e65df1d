//! `cargo dev gallery`: the report pages of real models, opened and checked in a browser; their pictures are kept.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{self, Counts, program, root};
use crate::{flags, machine, peers};

/// A page: its name, and what `latlas report` is given: the model's file under the root first (the built-in one where there is
/// none).
const PAGES: &[(&str, &[&str])] = &[
    ("digits", &[]),
    ("galaxy-flow", &["crates/latlas/tests/fixtures/galaxy_flow.onnx", "--prior", "uniform:-5,5", "--dtype", "f64"]),
    ("dcgan-faces", &["data/dcgan_faces.onnx"]),
];

/// The verb: writes `docs/gallery/NAME-{light,dark,phone}.png`, and `digits-top.png` for the README.
pub fn run(arguments: &[String]) -> Result<()> {
    let [] = flags(arguments, [])?;
    let pictures = root().join("docs/gallery");
    let counts = draw(&pictures)?;
    top_of_page("digits", &pictures)?;
    anyhow::ensure!(counts.failed == 0, "{} pages failed", counts.failed);
    Ok(())
}

/// What a reader sees first of a page: the picture of the README, `NAME-top.png`.
fn top_of_page(name: &str, pictures: &Path) -> Result<()> {
    let mut browser = program("chromium", &["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1200,1480"]);
    browser.arg(format!("--screenshot={}", pictures.join(format!("{name}-top.png")).display()));
    browser.arg(root().join("target/pages").join(name).join("report.html")).stderr(std::process::Stdio::null());
    process::run(browser)
}

/// The comparison: the same pages, with the pictures put aside.
pub fn check() -> Result<Counts> {
    draw(&root().join("target/gallery"))
}

fn draw(pictures: &Path) -> Result<Counts> {
    machine::debian("chromium", &["--version"], "chromium")?;
    let latlas = peers::latlas()?;
    let mut script = program("python3", &["peers/check_page.py"]);
    script.arg(pictures);
    for (name, arguments) in PAGES {
        let folder: PathBuf = root().join("target/pages").join(name);
        if let Some(model) = arguments.first().filter(|model| !root().join(model).exists()) {
            println!("no page of {name}: {model} is absent (`cargo dev data` makes it)");
            continue;
        }
        let mut report = program(&latlas.to_string_lossy(), &["report", "--quiet"]);
        report.args(*arguments).arg("-o").arg(&folder);
        process::run(report)?;
        script.arg(format!("{name}={}", folder.join("report.html").display()));
    }
    process::count(script)
}
