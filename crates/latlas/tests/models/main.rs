//! Real models against values that were computed elsewhere.
#![allow(clippy::unwrap_used)]

mod dcgan;
mod digits;
mod fixture;
mod galaxy;
mod ports;
mod units;
