//! The terminal: data on standard output, everything else on standard error, and no foreign control codes on either.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use crate::args::{Color, Talk};
use crate::failure::{Failure, Outcome};

/// Where a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    quiet: bool,
    colored: bool,
}

impl Console {
    /// As the user asked for.
    pub fn new(talk: &Talk) -> Self {
        let colored = match talk.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { quiet: talk.quiet, colored }
    }

    /// Something worth knowing that is not data.
    pub fn note(self, text: &str) {
        if !self.quiet {
            eprintln!("{}", plain(text));
        }
    }

    /// Several of them.
    pub fn notes(self, all: &[String]) {
        for text in all {
            self.note(text);
        }
    }

    /// Data.
    #[allow(clippy::unused_self)] // Whoever speaks does it through the console.
    pub fn data(self, text: &str) -> Outcome {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => latlas::error::Error::Io { action: "write", path: "standard output".into(), source: error }.into(),
        })
    }

    /// Emphasis for a heading, where colours are wanted.
    pub fn bold(self, text: &str) -> String {
        if self.colored { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.into() }
    }

    /// Whether standard output takes colours.
    pub fn colored(self) -> bool {
        self.colored
    }

    /// Whether long work may draw a bar.
    pub fn draws_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Columns of the terminal; 100 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(100, |(width, _)| width.0.into())
}

/// The text with every character that could steer a terminal written out: names in files are not ours.
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => safe.push(' '),
            // Control characters, and marks that reorder or hide text.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                let _ = write!(safe, "{}", c.escape_unicode());
            }
            c => safe.push(c),
        }
    }
    safe
}

/// `error:`, then `hint:`, on standard error.
pub fn print_failure(failure: &Failure) -> u8 {
    if !matches!(failure, Failure::Closed) {
        eprintln!("error: {}", plain(&failure.message()));
        if let Some(hint) = failure.hint() {
            eprintln!("hint: {}", plain(&hint));
        }
    }
    failure.exit_code()
}

/// What the parser of the command line has to say: help and version are data, all else is wrong use.
pub fn print_usage_error(error: &clap::Error) -> u8 {
    // A closed pipe while help is printed is nobody's error.
    let _ = error.print();
    if error.use_stderr() { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn control_codes_are_written_out() {
        assert_eq!(plain("a\u{1b}[2Jb\r\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{d}\\u{202e}c d");
        assert_eq!(plain("é – λ"), "é – λ");
    }
}
