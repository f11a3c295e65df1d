//! Everything that has an id and a page: what `latlas list` lists and `latlas explain` explains.

/// A thing with a page.
pub struct Entry {
    /// What the user types.
    pub id: String,
    /// One line.
    pub title: String,
    /// The whole page, in Markdown.
    pub page: String,
}

/// A table of the library.
pub struct Kind {
    /// The plural that `latlas list` takes.
    pub name: &'static str,
    /// What its entries are.
    pub title: &'static str,
    /// Reads the table.
    pub entries: fn() -> Vec<Entry>,
}

/// All tables, in the order in which `latlas explain` looks into them.
pub const KINDS: &[Kind] = &[Kind { name: "caveats", title: "What to know before trusting a number", entries: caveats }];

fn caveats() -> Vec<Entry> {
    let entry = |page: &latlas::caveat::Page| Entry {
        id: page.id.into(),
        title: page.title.into(),
        page: format!("{}\n\n{}", page.title, page.text),
    };
    latlas::caveat::PAGES.iter().map(entry).collect()
}
