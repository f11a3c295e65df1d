//! How a command can end badly, and the exit code that says so.

use latlas::error::Error;

/// What a command gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The library refused or failed.
    Library(Error),
    /// The command line asks for something that does not exist or does not go together.
    Usage {
        /// What is wrong.
        what: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// The numbers are there, but these gates do not hold.
    Gates(Vec<String>),
    /// The reader of our output went away.
    Closed,
}

impl Failure {
    /// Wrong use, with advice.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: Some(hint.into()) }
    }

    /// 0 done · 1 the run failed · 2 bad usage or input · 3 unsupported model · 4 a gate does not hold.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Library(error) => library_code(error),
            Self::Usage { .. } => 2,
            Self::Gates(_) => 4,
            Self::Closed => 0,
        }
    }

    /// What happened, one line.
    pub fn message(&self) -> String {
        match self {
            Self::Library(error) => error.to_string(),
            Self::Usage { what, .. } => what.clone(),
            Self::Gates(gates) => gates.join("; "),
            Self::Closed => String::new(),
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Library(error) => error.hint(),
            Self::Usage { hint, .. } => hint.clone(),
            Self::Gates(_) | Self::Closed => None,
        }
    }
}

fn library_code(error: &Error) -> u8 {
    match error {
        Error::Model { source, .. } | Error::Graph(source) => graph_code(source),
        Error::TooManyBadSamples { .. } | Error::TooFewSamples { .. } | Error::Io { action: "write" | "create", .. } => 1,
        _ => 2,
    }
}

fn graph_code(error: &latlas_graph::Error) -> u8 {
    use latlas_graph::Error as Graph;
    match error {
        Graph::Io { .. } | Graph::NoSuchName { .. } | Graph::Shape { .. } => 2,
        _ => 3,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<latlas_graph::Error> for Failure {
    fn from(error: latlas_graph::Error) -> Self {
        Self::Library(Error::Graph(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_bad_input_unsupported_models_and_failed_runs_apart() {
        let graph = |source| Failure::from(Error::Model { path: "m.onnx".into(), source }).exit_code();
        assert_eq!(graph(latlas_graph::Error::Unsupported { operators: vec![] }), 3);
        assert_eq!(graph(latlas_graph::Error::Malformed { what: "cut off".into() }), 3);
        assert_eq!(graph(latlas_graph::Error::NoSuchName { kind: "input", name: "z".into(), available: vec![] }), 2);
        let bad = Error::TooManyBadSamples { bad: 9, seen: 10, reasons: "non-finite 9".into(), accepted: 0.05 };
        assert_eq!(Failure::from(bad).exit_code(), 1);
        assert_eq!(Failure::usage("x", "y").exit_code(), 2);
        assert_eq!(Failure::Gates(vec![]).exit_code(), 4);
    }
}
