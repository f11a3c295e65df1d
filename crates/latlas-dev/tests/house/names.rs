//! Names and words: the field's own terms, nothing unfinished, nothing of anybody's machine.

use super::{files_below, has_end, read, root};

/// Files that hold text of ours, without the licences and without this list.
fn texts() -> Vec<String> {
    let folders = ["crates", "docs", "peers", "fuzz", ".ci", ".cargo", "examples", "benches"];
    let mut all: Vec<String> = folders.iter().filter(|f| root().join(f).is_dir()).flat_map(|f| files_below(f)).collect();
    let top = std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file());
    all.extend(top.map(|p| p.file_name().unwrap().to_str().unwrap().to_string()).filter(|name| name != "Cargo.lock"));
    let ours = ["rs", "toml", "md", "py", "cff", "yml", "yaml", "html", "css", "js", "sh", "run"];
    let is_text = |path: &String| path == ".ci/run" || ours.iter().any(|end| has_end(path, end));
    all.retain(|path| is_text(path) && path != "crates/latlas-dev/tests/house/names.rs");
    all
}

#[test]
fn nothing_is_named_after_having_no_name() {
    let vague = ["utils", "util", "helpers", "helper", "misc", "common", "manager"];
    let is_vague = |path: &String| path.split(['/', '.', '_', '-']).any(|part| vague.contains(&part));
    let named: Vec<_> = files_below("crates").into_iter().filter(is_vague).collect();
    assert!(named.is_empty(), "say what is in it: {named:#?}");
}

#[test]
fn no_path_of_a_machine_and_nothing_unfinished() {
    let words = [
        "/work/",
        "/root/",
        "/home/",
        "/tmp/",
        "/Users/",
        "C:\\\\",
        "TODO",
        "FIXME",
        "XXX",
        "todo!(",
        "unimplemented!(",
        "shared/spec",
        "shared/fixtures",
        "file:///",
    ];
    let mut found = Vec::new();
    for path in texts() {
        for (number, line) in read(&path).lines().enumerate() {
            found.extend(words.iter().filter(|w| line.contains(*w)).map(|word| format!("{path}:{}: {word}", number + 1)));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for path in texts().into_iter().filter(|path| has_end(path, "md")) {
        let folder = root().join(&path).parent().unwrap().to_path_buf();
        for target in read(&path).split("](").skip(1).filter_map(|tail| tail.split(')').next().map(str::to_string)) {
            let file = target.split('#').next().unwrap_or("");
            let is_local = !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:") && !file.contains(' ');
            if is_local && !folder.join(file).exists() {
                broken.push(format!("{path} → {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
