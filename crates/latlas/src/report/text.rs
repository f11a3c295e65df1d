//! Text from outside (names of files, nodes, outputs, labels) made safe to show: nothing hidden, nothing endless.

/// Longest piece of foreign text that is shown whole, in characters.
const LONGEST: usize = 2000;

/// The text with everything that would act instead of being read written out: control codes, bidirectional overrides and
/// invisible characters become `\u{…}`, line breaks and tabs a space; very long text is cut with an ellipsis.
///
/// Markup is not escaped here: that is the business of whoever writes markup.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (count, letter) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        match letter {
            '\n' | '\r' | '\t' => shown.push(' '),
            _ if acts(letter) => shown.extend(letter.escape_unicode()),
            _ => shown.push(letter),
        }
    }
    shown
}

/// Whether a character does something to a terminal or to the order of a line rather than being seen.
fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(letter, '\u{e0000}'..='\u{e007f}')
}

/// Text for XML content and attribute values; foreign text goes through [`visible`] on the way.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in visible(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_codes_are_seen_not_obeyed() {
        assert_eq!(visible("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(visible("gnp.exe\u{202e}txt"), "gnp.exe\\u{202e}txt");
        assert_eq!(visible("two\nlines"), "two lines");
        assert_eq!(visible("Größe σ ≤ 3 … 図"), "Größe σ ≤ 3 … 図");
        assert_eq!(visible(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(xml("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
    }
}
