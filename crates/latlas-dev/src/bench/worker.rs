//! Resident processes that are measured in turn: one line of words asks, one line answers.
//!
//! A worker reads commands from its standard input and answers each with `ok` and words, or with `error` and a message. It
//! keeps what it has built between commands, so that competitors can be timed A B C A B C under the same state of the machine.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running worker. It ends when it is dropped.
pub struct Worker {
    /// What it is called in messages.
    pub name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a program bound to the first `threads` processors; what it says on standard error goes to a file.
    pub fn start(name: &str, command: &Command, threads: usize, log: &Path) -> Result<Self> {
        let mut bound = Command::new("taskset");
        bound.arg("--cpu-list").arg(format!("0-{}", threads - 1)).arg(command.get_program()).args(command.get_args());
        bound.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        if let Some(folder) = command.get_current_dir() {
            bound.current_dir(folder);
        }
        let log = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        bound.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = bound.spawn().with_context(|| format!("cannot start {name}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { bail!("{name} has no pipes") };
        Ok(Self { name: name.into(), child, input, output: BufReader::new(output) })
    }

    /// Sends a command and gives the words of the answer; fails with the worker's message where it could not do it.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        writeln!(self.input, "{command}").with_context(|| format!("{} has ended", self.name))?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
            ("ok", words) => Ok(words.split_whitespace().map(String::from).collect()),
            ("error", message) => bail!("{}: {message}", self.name),
            ("", _) => bail!("{} ended at `{command}`", self.name),
            _ => bail!("{} answered {line:?} to `{command}`", self.name),
        }
    }

    /// Sends a command whose answer is numbers.
    pub fn ask_numbers(&mut self, command: &str) -> Result<Vec<f64>> {
        let words = self.ask(command)?;
        words.iter().map(|word| word.parse().with_context(|| format!("{} answered {word:?}, not a number", self.name))).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already, and that is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
