//! Documents that are made from the tables: written when `LATLAS_GENERATE` is set, compared otherwise.

use std::fmt::Write as _;
use std::path::Path;

use latlas::estimators;

/// Compares the text with a file of `docs/`, or writes it there.
pub fn is_current(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("LATLAS_GENERATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "docs/{name} is not current: run `cargo dev generate`");
}

#[test]
fn generated_page_of_the_estimators() {
    let mut page = String::from(
        "# Estimators\n\nMade from the estimators' own files by `cargo dev generate`.\n\n| id | what | unit | group |\n|---|---|---|---|\n",
    );
    for entry in estimators::all() {
        let card = &entry.card;
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} | {2} | {3} |", card.id, card.title, card.unit, card.group);
    }
    for entry in estimators::all() {
        let card = &entry.card;
        let _ = write!(page, "\n## {}\n\n{}\n", card.id, card.page().trim());
    }
    is_current("estimators.md", &page);
}
