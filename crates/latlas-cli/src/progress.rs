//! A bar on standard error for long work, where somebody can see it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;

/// A bar that counts samples.
pub struct Progress(ProgressBar);

impl Progress {
    /// Nothing is drawn when standard error is no terminal.
    pub fn new(console: Console, what: &'static str) -> Self {
        let target = if console.draws_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left {prefix}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Something beside the bar, such as a loss.
    pub fn say(&self, text: &str) {
        self.0.set_prefix(text.to_string());
    }

    /// So many of all are done.
    pub fn at(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
