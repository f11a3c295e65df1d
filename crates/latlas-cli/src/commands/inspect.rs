//! `latlas inspect`: what a model file is, and what asking it costs.

use std::collections::BTreeMap;

use clap::Args;
use latlas::models::Decoder;
use latlas_graph::execute::{Cost, cost};
use latlas_graph::onnx::{Declaration, LoadOptions, Summary, summarize};
use latlas_graph::{Error as GraphError, Graph, UnsupportedOperator};
use serde_json::{Value as Json, json};

use crate::args::{ModelOptions, Talk};
use crate::catalogue::kind_of;
use crate::console::{Console, plain};
use crate::failure::Outcome;
use crate::inputs::{self, ModelFile};
use crate::table::{Table, count};

/// Tell what a model file is: inputs, outputs, operators, kinks, and what one decode, Jacobian and Gram matrix cost
#[derive(Debug, Args)]
pub struct Arguments {
    /// ONNX file, or builtin:NAME
    #[arg(value_name = "MODEL.onnx")]
    file: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    talk: Talk,
}
