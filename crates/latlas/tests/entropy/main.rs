//! The run loop and the entropy estimators against closed forms.
#![allow(clippy::unwrap_used)]

mod baseline;
mod classes;
mod closed_forms;
mod coverage;
mod cross;
mod degenerate;
mod determinism;
mod explicit;
mod moons;
mod oracles;
mod sketch;
mod states;
mod structure;
