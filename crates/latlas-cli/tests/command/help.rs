//! Help: every verb has it, and none promises what is not there.

use super::latlas;

#[test]
fn every_verb_has_help() {
    let verbs = latlas(&["--help"]);
    assert_eq!((verbs.code, verbs.err.as_str()), (0, ""));
    insta::assert_snapshot!("latlas", verbs.out);
    let listed = verbs.out.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Lines that go on are indented further.
    let begins = |line: &str| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).map(str::len);
    let names: Vec<&str> = listed.filter(|line| begins(line).is_some()).filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let help = latlas(&[name, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{name}");
        insta::assert_snapshot!(name, help.out);
    }
}

#[test]
fn everything_that_is_listed_is_explained() {
    let listed = latlas(&["list", "--json"]);
    let tables: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    for (table, entries) in tables.as_object().unwrap() {
        let entries = entries.as_array().unwrap();
        assert!(!entries.is_empty(), "{table}");
        // Operators are many and their pages alike.
        for entry in entries.iter().take(40) {
            let id = entry["id"].as_str().unwrap();
            let page = latlas(&["explain", id]);
            assert_eq!(page.code, 0, "{id}: {}", page.err);
            assert!(page.out.starts_with(id) && page.out.len() > id.len() + 60, "{id}: {}", page.out);
        }
    }
}

#[test]
fn a_verb_that_does_not_exist_is_wrong_use() {
    let ran = latlas(&["reprot"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("report"), "{}", ran.err);
    assert_eq!(latlas(&[]).code, 2);
}
