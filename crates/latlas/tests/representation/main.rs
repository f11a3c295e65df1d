//! Scores of codes: closed forms, degenerate cases, laws that hold for all, and reference tables.

#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::type_complexity)]

mod builders;
mod closed_forms;
mod contracts;
mod degenerate;
mod interventions;
mod reference;
mod rows;
mod sprites;
