//! Files: short, with a sentence at the top, and unsafe code only where it is looked for.

use super::{read, rust_below};

/// Lines that no Rust file may pass; 300 is the aim.
const CEILING: usize = 600;

#[test]
fn no_file_is_longer_than_the_ceiling() {
    let long: Vec<_> = rust_below("crates").into_iter().filter(|path| read(path).lines().count() > CEILING).collect();
    assert!(long.is_empty(), "longer than {CEILING} lines: {long:#?}");
}

#[test]
fn every_file_begins_with_a_sentence() {
    let bare: Vec<_> = rust_below("crates").into_iter().filter(|path| !read(path).starts_with("//! ")).collect();
    assert!(bare.is_empty(), "no //! sentence at the top: {bare:#?}");
}

#[test]
fn unsafe_code_lives_in_kernels_and_in_the_one_memory_map() {
    let allowed = |path: &str| path.contains("/execute/kernels") || path.starts_with("crates/latlas-graph/src/onnx/");
    let is_unsafe = |path: &String| {
        let text = read(path);
        text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or("");
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "allow(unsafe_code)"].iter().any(|word| code.contains(word))
        })
    };
    let this = "crates/latlas-dev/tests/house/files.rs";
    let outside: Vec<_> = rust_below("crates").into_iter().filter(|p| p != this && !allowed(p) && is_unsafe(p)).collect();
    assert!(outside.is_empty(), "unsafe code outside the kernels: {outside:#?}");
}
