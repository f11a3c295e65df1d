//! Published experiments, in their quick form.

use serde_json::Value;

use super::{latlas_in, scratch};

#[test]
fn quick_forms_write_a_page_and_every_number() {
    let folder = scratch();
    for (name, more, series) in [("two-moons", &[][..], 4), ("beta_vae_active", &["--data", "builtin:digits"][..], 1)] {
        let words = [&["reproduce", name, "--quick", "--quiet", "-o", name], more].concat();
        let ran = latlas_in(folder.path(), &words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("published") && ran.out.contains("obtained"), "{}", ran.out);
        let read = |file: &str| std::fs::read_to_string(folder.path().join(name).join(file)).unwrap();
        let page = read("report.html");
        assert!(page.contains("quick form") && page.contains("<svg") && page.contains("latlas reproduce"));
        let json: Value = serde_json::from_str(&read("reproduction.json")).unwrap();
        assert_eq!(json["series"].as_array().unwrap().len(), series);
        let seeds = json["series"][0]["values"][0].as_array().unwrap();
        assert!(seeds.len() == 2 && seeds.iter().all(|x| x.as_f64().is_some_and(f64::is_finite)), "{json}");
    }
}

#[test]
fn wrong_experiments_are_told() {
    let folder = scratch();
    let cases: [(&[&str], &str); 4] = [
        (&["reproduce", "two-moon"], "two-moons"),
        (&["reproduce", "beta-vae-active"], "builtin:digits"),
        (&["reproduce", "two-moons", "--data", "builtin:digits"], "--data"),
        (&["reproduce", "two-moons", "--quick", "--seeds", "0"], "seed"),
    ];
    for (words, needle) in cases {
        let ran = latlas_in(folder.path(), words);
        assert!(ran.code == 2 && ran.err.contains(needle), "{words:?}: {}", ran.err);
    }
}
