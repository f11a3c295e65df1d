//! `docs/performance.md`: written by hand but for the sections that benchmarks write between two marks.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::root;

fn path() -> PathBuf {
    root().join("docs/performance.md")
}

/// The whole page.
pub fn read() -> Result<String> {
    std::fs::read_to_string(path()).with_context(|| format!("cannot read {}", path().display()))
}

/// Where a benchmark's section is: between `<!-- begin NAME -->` and `<!-- end NAME -->`.
pub fn section(page: &str, name: &str) -> Result<Range<usize>> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = page.find(&begin).with_context(|| format!("no line {:?} in docs/performance.md", begin.trim()))? + begin.len();
    let length = page[start..].find(&end).with_context(|| format!("no line {end:?} after {:?}", begin.trim()))?;
    Ok(start..start + length)
}

/// Puts a new section in the place of the old one.
pub fn write(name: &str, text: &str) -> Result<()> {
    let mut page = read()?;
    let place = section(&page, name)?;
    page.replace_range(place, &format!("\n{}\n\n", text.trim()));
    std::fs::write(path(), page).with_context(|| format!("cannot write {}", path().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_their_marks() {
        let page = "words\n<!-- begin a -->\nold\n<!-- end a -->\n<!-- begin b -->\n<!-- end b -->\n";
        assert_eq!(section(page, "a").map(|place| &page[place]).ok(), Some("old\n"));
        assert_eq!(section(page, "b").map(|place| &page[place]).ok(), Some(""));
        assert!(section(page, "c").is_err());
    }
}
