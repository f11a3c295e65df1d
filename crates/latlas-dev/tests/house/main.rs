//! The rules of the house that a compiler does not check.

#![allow(clippy::unwrap_used)]

mod files;
mod layers;
mod names;
mod registration;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// All files below a folder of the repository, by their paths from the root with `/`, sorted.
fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_str().unwrap();
            let is_ours = !matches!(name, ".git" | "target" | "data" | "corpus" | "artifacts" | "latlas-out" | "__pycache__");
            if entry.file_type().unwrap().is_dir() {
                open.extend(is_ours.then_some(path));
            } else {
                let below = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(below);
            }
        }
    }
    found.sort();
    found
}

/// The Rust files among them.
fn rust_below(folder: &str) -> Vec<String> {
    files_below(folder).into_iter().filter(|path| has_end(path, "rs")).collect()
}

/// Whether a path has this extension.
fn has_end(path: &str, end: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == end)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}
