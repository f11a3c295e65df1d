//! The pages of estimators as HTML: paragraphs, formulas (indented lines) and lists, as they stand at the top of their files.

use maud::{Markup, html};

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Paragraph(String),
    Formula(String),
    List(Vec<String>),
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fresh = true;
    for line in page.lines() {
        let text = line.trim_end();
        if text.is_empty() {
            fresh = true;
            continue;
        }
        match (text.strip_prefix("    "), text.strip_prefix("- ")) {
            (Some(formula), _) => match blocks.last_mut() {
                Some(Block::Formula(whole)) if !fresh => *whole = format!("{whole}\n{formula}"),
                _ => blocks.push(Block::Formula(formula.into())),
            },
            (_, Some(item)) => match blocks.last_mut() {
                Some(Block::List(items)) => items.push(item.into()),
                _ => blocks.push(Block::List(vec![item.into()])),
            },
            _ => match blocks.last_mut() {
                Some(Block::Paragraph(whole)) if !fresh => *whole = format!("{whole} {text}"),
                Some(Block::List(items)) if !fresh => {
                    if let Some(item) = items.last_mut() {
                        *item = format!("{item} {}", text.trim_start());
                    }
                }
                _ => blocks.push(Block::Paragraph(text.into())),
            },
        }
        fresh = false;
    }
    blocks
}

/// A page with its marks turned into markup.
pub fn prose(page: &str) -> Markup {
    html! {
        @for block in blocks(page) {
            @match block {
                Block::Paragraph(text) => p { (inline(&text)) },
                Block::Formula(text) => pre { (text) },
                Block::List(items) => ul { @for item in items { li { (inline(&item)) } } },
            }
        }
    }
}

/// Text with `code`.
fn inline(text: &str) -> Markup {
    html! { @for (i, part) in text.split('`').enumerate() { @if i % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// The first sentence of a page.
pub fn first_sentence(page: &str) -> String {
    let paragraph = page.split("\n\n").next().unwrap_or("").replace('\n', " ");
    paragraph.split_inclusive(". ").next().unwrap_or("").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "One sentence\nover lines. Two.\n\n    H = x\n      + y\n\n- first `a`\n  goes on\n- second\n\nEnd.";

    #[test]
    fn pages_are_taken_apart() {
        let expected = [
            Block::Paragraph("One sentence over lines. Two.".into()),
            Block::Formula("H = x\n  + y".into()),
            Block::List(vec!["first `a` goes on".into(), "second".into()]),
            Block::Paragraph("End.".into()),
        ];
        assert_eq!(blocks(PAGE), expected);
        assert_eq!(first_sentence(PAGE), "One sentence over lines.");
        let html = prose("a <b> `c <d>`").into_string();
        assert_eq!(html, "<p>a &lt;b&gt; <code>c &lt;d&gt;</code></p>");
    }
}
