//! A report on standard output: a table for people, JSON for programs.

use std::path::Path;

use latlas::error::Error;
use latlas::report::{Report, json, table};

use crate::console::{Console, width};
use crate::failure::Outcome;

/// How a report is shown.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Presentation {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Also write report.json and large arrays into this folder
    #[arg(long, value_name = "DIR")]
    pub save: Option<std::path::PathBuf>,
}

/// Prints the report, and writes it where that was asked for.
pub fn present(report: &Report, presentation: &Presentation, console: Console) -> Outcome {
    if presentation.json || presentation.save.is_some() {
        let (text, side_files) = json::to_json(report);
        if let Some(folder) = &presentation.save {
            save(folder, "report.json", &text, &side_files)?;
        } else if !side_files.is_empty() {
            let names: Vec<_> = side_files.iter().map(|file| file.name.as_str()).collect();
            console.note(&format!("large arrays are written only with --save DIR: {}", names.join(", ")));
        }
        if presentation.json {
            return console.data(&text);
        }
    }
    console.data(&table::render(report, table::Options { width: width(), colour: console.colored() }))
}

/// Writes the page and the numbers of a report into a folder.
pub fn save_page(folder: &Path, page: &str, report: &Report) -> Outcome {
    let (text, side_files) = json::to_json(report);
    save(folder, "report.html", page, &[])?;
    save(folder, "report.json", &text, &side_files)
}

/// Writes a text and the files that belong beside it; the folder is made where it is missing.
pub fn save(folder: &Path, name: &str, text: &str, side_files: &[json::SideFile]) -> Outcome {
    let beside = side_files.iter().map(|file| (file.name.as_str(), &file.bytes[..]));
    save_all(folder, std::iter::once((name, text.as_bytes())).chain(beside))
}

/// Writes files into a folder, which is made where it is missing.
pub fn save_all<'a>(folder: &Path, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|source| Error::Io { action: "create", path: folder.into(), source })?;
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|source| Error::Io { action: "write", path, source })?;
    }
    Ok(())
}
