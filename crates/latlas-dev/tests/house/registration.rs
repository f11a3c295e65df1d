//! Registration: a file that stands in no table would compile to nothing and be missed by nobody.

use super::{read, root, rust_below};

/// Whether some file that may declare the module of `path` does so.
fn is_declared(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap();
    let (folder, name) = match file {
        "mod.rs" => folder.rsplit_once('/').unwrap(),
        _ => (folder, file.trim_end_matches(".rs")),
    };
    let parents = ["mod.rs", "lib.rs", "main.rs"].map(|parent| format!("{folder}/{parent}"));
    let beside = format!("{folder}.rs");
    parents.iter().chain([&beside]).filter(|parent| root().join(parent).exists()).any(|parent| {
        let text = read(parent);
        let declares = |line: &str| {
            let line = line.trim();
            [format!("mod {name};"), format!("pub mod {name};"), format!("pub(crate) mod {name};"), format!("pub(super) mod {name};")]
                .contains(&line.into())
        };
        text.lines().any(declares)
    })
}

#[test]
fn every_file_is_a_module_of_its_folder() {
    let is_root = |path: &str| ["lib.rs", "main.rs", "build.rs"].iter().any(|root| path.ends_with(&format!("src/{root}")));
    let is_source = |path: &String| path.contains("/src/") && !path.contains("/src/bin/") && !is_root(path);
    let orphans: Vec<_> = rust_below("crates").into_iter().filter(is_source).filter(|path| !is_declared(path)).collect();
    assert!(orphans.is_empty(), "declared nowhere: {orphans:#?}");
}

#[test]
fn every_verb_of_the_command_is_in_its_table() {
    let table = read("crates/latlas-cli/src/commands/mod.rs");
    let name = |path: &String| path.rsplit_once('/').unwrap().1.trim_end_matches(".rs").to_string();
    let verbs: Vec<_> = rust_below("crates/latlas-cli/src/commands").iter().map(name).filter(|name| name != "mod").collect();
    assert!(verbs.len() >= 10, "{verbs:?}");
    let missing: Vec<_> = verbs.iter().filter(|verb| !table.contains(&format!("{verb}::run"))).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}
