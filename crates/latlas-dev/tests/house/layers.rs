//! Stages: a module of the library uses only modules of its own or a lower stage.

use super::{read, rust_below};

/// The pipeline in order. A module that is missing here fails the test.
const STAGES: &[(&str, u8)] = &[
    ("assignment", 0),
    ("card", 0),
    ("caveat", 0),
    ("error", 0),
    ("index_sets", 0),
    ("learners", 0),
    ("linalg", 0),
    ("random", 0),
    ("settings", 0),
    ("special_functions", 0),
    ("estimate", 0),
    ("data", 1),
    ("models", 1),
    ("samples", 1),
    ("differentiate", 2),
    ("geometry", 2),
    ("codes", 2),
    ("training", 2),
    ("context", 2),
    ("probe", 2),
    ("sketch", 2),
    ("cross", 3),
    ("quantities", 3),
    ("accumulators", 4),
    ("estimators", 5),
    ("invariants", 6),
    ("report", 6),
    ("run", 6),
    ("reproduce", 7),
];

/// Modules that the code reaches by `crate::`: `use crate::{a, b::{c, d}}` gives a and b.
fn reached(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let first_word = |path: &str| path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for tail in code.join("\n").split("crate::").skip(1) {
        match tail.strip_prefix('{') {
            Some(list) => found.extend(outermost(list).split(',').map(first_word)),
            None => found.push(first_word(tail)),
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_lowercase()));
    found
}

/// The text up to the brace that closes the list, without what stands in further braces.
fn outermost(list: &str) -> String {
    let mut depth = 1;
    let mut text = String::new();
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 1 => text.push(letter),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    text
}

fn stage(module: &str) -> Option<u8> {
    STAGES.iter().find(|(name, _)| *name == module).map(|(_, stage)| *stage)
}

#[test]
fn no_module_of_the_library_uses_a_later_stage() {
    let mut wrong = Vec::new();
    for path in rust_below("crates/latlas/src") {
        let below = path.trim_start_matches("crates/latlas/src/");
        let module = below.split('/').next().unwrap().trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some(own) = stage(module) else {
            wrong.push(format!("{path}: module {module} has no stage"));
            continue;
        };
        // A module's own tests may look at anything.
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for used in reached(code) {
            match stage(&used) {
                Some(other) if other <= own => {}
                Some(other) => wrong.push(format!("{path} (stage {own}) uses {used} (stage {other})")),
                None => wrong.push(format!("{path} uses {used}, which has no stage")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_engine_knows_nothing_of_statistics() {
    let knows = |path: &String| read(path).contains("latlas::");
    let wrong: Vec<_> = rust_below("crates/latlas-graph/src").into_iter().filter(knows).collect();
    assert!(wrong.is_empty(), "latlas-graph uses latlas: {wrong:#?}");
}

#[test]
fn uses_are_found_in_lists_and_in_paths() {
    let text = "use crate::{a, b::{c, d}, e::F};\nuse crate::g::h; // crate::comment\nlet x = crate::k::f(); pub(crate) fn y() {}";
    assert_eq!(reached(text), ["a", "b", "e", "g", "k"]);
}
