//! `latlas inspect`: what a model file is, and what asking it costs.

use std::collections::BTreeMap;

use clap::Args;
use latlas::error::Error;
use latlas::models::onnx::{Heads, ModelFile};
use latlas::run::Dtype;
use latlas_graph::execute::{Cost, Rate, cost_of};
use latlas_graph::onnx::{Declaration, Summary};
use latlas_graph::transform::Elimination;
use latlas_graph::{Error as GraphError, Graph, UnsupportedOperator};
use serde_json::{Value as Json, json};

use crate::args::{ModelOptions, Talk};
use crate::catalogue::kind_of;
use crate::console::{Console, plain};
use crate::failure::Outcome;
use crate::models::{self, name_of};
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
    /// Measure this machine for the expected times, instead of taking 100 GFLOP/s and 100 GB/s
    #[arg(long)]
    measure: bool,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    talk: Talk,
}

/// The verb. A model that is refused is described as far as its file says, and refused after that.
pub fn run(arguments: &Arguments) -> Outcome {
    let console = Console::new(&arguments.talk);
    let file = models::model_file(&arguments.file)?;
    let options = arguments.model.read(Dtype::F64);
    let (summary, graph) = (file.summary(&options)?, file.graph(&options));
    let unsupported = match &graph {
        Err(Error::Model { source: GraphError::Unsupported { operators }, .. }) => operators.clone(),
        _ => Vec::new(),
    };
    let understood = graph.as_ref().ok().map(|graph| Understood::new(graph, arguments)).transpose()?;
    let text = if arguments.json {
        format!("{:#}\n", as_json(&file, &summary, understood.as_ref(), &unsupported))
    } else {
        as_text(console, &file, &summary, understood.as_ref(), &unsupported)
    };
    console.data(&text)?;
    Ok(graph.map(drop)?)
}

/// What is known of a model once it is a graph.
struct Understood {
    inputs: Vec<(String, Vec<usize>, &'static str)>,
    outputs: Vec<(String, Vec<usize>, &'static str)>,
    /// Operator type → count, kind, kink.
    operators: BTreeMap<String, (usize, String, bool)>,
    has_kinks: bool,
    costs: Vec<(&'static str, Cost)>,
    rate: Rate,
    is_measured: bool,
    /// Blocks of the Jacobian that are formed first: how many, rows and columns.
    blocks: Vec<(usize, usize, usize)>,
    /// Operations of the Jacobian in plain forward mode.
    plain: f64,
}

impl Understood {
    fn new(graph: &Graph, arguments: &Arguments) -> Outcome<Self> {
        let (heads, output) = arguments.model.ports(graph)?;
        let mut operators = BTreeMap::new();
        for operator in &graph.operators {
            let kind = kind_of(operator.kind, false);
            operators.entry(operator.op.clone()).or_insert((0, kind, operator.kink)).0 += 1;
        }
        let order = graph.elimination(heads.latent, &[output]);
        let in_order = |order: &Elimination| {
            let jacobian = graph.jacobian_in_order(heads.latent, &[output], order)?;
            cost_of::<f32>(&jacobian)
        };
        let costs = vec![
            ("decode", cost_of::<f32>(graph)?),
            ("Jacobian", in_order(&order)?),
            ("Gram", cost_of::<f32>(&graph.gram(heads.latent, &[output])?)?),
        ];
        let plain = in_order(&Elimination::default())?.flops_per_sample;
        let rate = if arguments.measure { Rate::measure::<f32>()? } else { Rate::STATED };
        let ports = |ports: &[latlas_graph::Port], role: &dyn Fn(usize) -> &'static str| {
            ports.iter().enumerate().map(|(i, port)| (port.name.clone(), port.shape.clone(), role(i))).collect()
        };
        Ok(Self {
            inputs: ports(&graph.inputs, &|i| input_role(&heads, i)),
            outputs: ports(&graph.outputs, &|i| output_role(&heads, i)),
            operators,
            has_kinks: graph.has_kinks(),
            costs,
            rate,
            is_measured: arguments.measure,
            blocks: order.sizes(graph),
            plain,
        })
    }

    fn as_text(&self, console: Console) -> [String; 4] {
        let mut ports = Table::new(&["", "name", "one sample", "taken for"]);
        for (what, all) in [("input", &self.inputs), ("output", &self.outputs)] {
            for (name, shape, role) in all {
                ports.row([what.into(), name.clone(), format!("{shape:?}"), (*role).into()]);
            }
        }
        let mut operators = Table::new(&["operator", "count", "kind", "kinks"]);
        for (op, (count, kind, kink)) in &self.operators {
            operators.row([op.clone(), count.to_string(), kind.clone(), if *kink { "yes".into() } else { String::new() }]);
        }
        let mut costs = Table::new(&["one sample's", "operations", "moved", "memory", "a tile", "expected", "limited by"]);
        for (name, cost) in &self.costs {
            let (seconds, arithmetic) = cost.expected(&self.rate);
            costs.row([
                (*name).into(),
                count(cost.flops_per_sample, "FLOP"),
                count(cost.moved_bytes_per_sample(), "B"),
                count(held(cost) as f64, "B"),
                cost.tile.to_string(),
                duration(seconds),
                limit(arithmetic).into(),
            ]);
        }
        let plan = format!("{}{}\n", costs.render(console), self.plan());
        let smooth = "It is smooth.";
        let kinks = if self.has_kinks { "Its derivative jumps somewhere: see `latlas explain kink-at-relu`." } else { smooth };
        let proof = format!("Every sample is treated on its own: the import proves it node by node.\n{kinks}\n");
        [ports.render(console), operators.render(console), plan, proof]
    }
}

impl Understood {
    /// The rates behind the expected times and the order of the Jacobian, in words.
    fn plan(&self) -> String {
        let source = if self.is_measured { "as measured now" } else { "stated; --measure takes this machine's" };
        let [flops, bytes] =
            [(self.rate.flops_per_second, "FLOP/s"), (self.rate.bytes_per_second, "B/s")].map(|(rate, unit)| count(rate, unit));
        let order = if self.blocks.is_empty() {
            "The Jacobian is made in plain forward mode; no other order takes fewer operations.".into()
        } else {
            let block = |&(n, rows, columns): &(usize, usize, usize)| {
                format!("{n} {} of {rows} × {columns}", if n == 1 { "block" } else { "blocks" })
            };
            let blocks: Vec<String> = self.blocks.iter().map(block).collect();
            let ratio = self.plain / self.costs[1].1.flops_per_sample;
            format!("For the Jacobian {} are formed first, {ratio:.1} × fewer operations than in plain forward mode.", blocks.join(", "))
        };
        format!("Times are for one thread in f32 at {flops} and {bytes} ({source}).\n{order}")
    }

    /// The costs and how the Jacobian is made.
    fn plan_as_json(&self) -> [(&'static str, Json); 3] {
        let cost = |(name, cost): &(&str, Cost)| {
            let (seconds, arithmetic) = cost.expected(&self.rate);
            let fields = json!({
                "flop": cost.flops_per_sample, "bytes": held(cost), "moved_bytes": cost.moved_bytes_per_sample(), "tile": cost.tile,
                "expected_seconds": seconds, "limit": limit(arithmetic),
            });
            (name.to_lowercase(), fields)
        };
        let blocks = self.blocks.iter().map(|(n, rows, columns)| json!({"count": n, "rows": rows, "columns": columns}));
        [
            ("cost_per_sample", Json::Object(self.costs.iter().map(cost).collect())),
            (
                "rate",
                json!({
                    "flop_per_second": self.rate.flops_per_second, "bytes_per_second": self.rate.bytes_per_second,
                    "measured": self.is_measured,
                }),
            ),
            ("elimination", json!({"blocks": blocks.collect::<Vec<_>>(), "plain_flop": self.plain})),
        ]
    }
}

/// Bytes that one sample holds.
fn held(cost: &Cost) -> usize {
    cost.bytes_per_sample + cost.output_bytes_per_sample
}

/// What limits most of the time, where arithmetic limits this share of it.
fn limit(arithmetic: f64) -> &'static str {
    if arithmetic >= 0.5 { "arithmetic" } else { "memory" }
}

/// A time with a unit: 12.0 µs.
fn duration(seconds: f64) -> String {
    let units = [("s", 1.0), ("ms", 1e3), ("µs", 1e6), ("ns", 1e9)];
    let (unit, scale) = units.into_iter().find(|(_, scale)| seconds * scale >= 1.0).unwrap_or(units[3]);
    format!("{:.1} {unit}", seconds * scale)
}

fn input_role(heads: &Heads, i: usize) -> &'static str {
    match i {
        i if i == heads.latent => "latents",
        i if heads.condition == Some(i) => "condition",
        _ => "not used",
    }
}

fn output_role(heads: &Heads, i: usize) -> &'static str {
    let named =
        [(Some(heads.mean), "mean"), (heads.logvar, "logvar"), (heads.std, "std"), (heads.logits, "logits"), (heads.log_det, "log-det")];
    named.iter().find(|(head, _)| *head == Some(i)).map_or("not used", |(_, role)| role)
}

fn as_json(file: &ModelFile, summary: &Summary, understood: Option<&Understood>, unsupported: &[UnsupportedOperator]) -> Json {
    let declared = |all: &[Declaration]| -> Vec<Json> {
        let one = |d: &Declaration| json!({"name": d.name, "dtype": d.dtype.map(|t| format!("{t:?}").to_lowercase()), "shape": d.shape});
        all.iter().map(one).collect()
    };
    let mut object = json!({
        "file": name_of(&file.path().to_string_lossy()), "sha256": file.sha256(), "ir_version": summary.ir_version, "opsets": summary.opsets,
        "parameters": summary.parameters, "external_data": summary.has_external_data,
        "declared_inputs": declared(&summary.inputs), "declared_outputs": declared(&summary.outputs),
        "supported": understood.is_some(),
        "unsupported": unsupported.iter().map(|o| json!({"op": o.op, "count": o.count, "first_node": o.first_node, "reason": o.reason}))
            .collect::<Vec<_>>(),
    });
    if let (Some(known), Json::Object(map)) = (understood, &mut object) {
        let ports = |ports: &[(String, Vec<usize>, &str)]| -> Vec<Json> {
            ports.iter().map(|(name, shape, role)| json!({"name": name, "shape": shape, "role": role})).collect()
        };
        map.insert("inputs".into(), ports(&known.inputs).into());
        map.insert("outputs".into(), ports(&known.outputs).into());
        let operators =
            known.operators.iter().map(|(op, (count, kind, kink))| json!({"op": op, "count": count, "kind": kind, "kink": kink}));
        map.insert("operators".into(), operators.collect());
        map.insert("kinks".into(), known.has_kinks.into());
        map.insert("batch_independent".into(), true.into());
        map.extend(known.plan_as_json().map(|(key, value)| (key.into(), value)));
    }
    object
}

fn as_text(
    console: Console,
    file: &ModelFile,
    summary: &Summary,
    understood: Option<&Understood>,
    unsupported: &[UnsupportedOperator],
) -> String {
    let opsets: Vec<_> = summary.opsets.iter().map(|(domain, version)| format!("{domain} {version}")).collect();
    let external = if summary.has_external_data { ", weights in a file of their own" } else { "" };
    let parameters = count(summary.parameters as f64, "");
    let head = format!("ONNX, opset {}, {parameters} parameters{external}", plain(&opsets.join(", ")));
    let mut parts = vec![format!("{}\n{head}\n", console.bold(&plain(&name_of(&file.path().to_string_lossy()))))];
    match understood {
        Some(known) => parts.extend(known.as_text(console)),
        None => parts.push(declared_ports(summary).render(console)),
    }
    if !unsupported.is_empty() {
        let mut table = Table::new(&["unsupported operator", "count", "first node", "reason"]);
        for operator in unsupported {
            let reason = operator.reason.clone().unwrap_or_else(|| "not known".into());
            table.row([operator.op.clone(), operator.count.to_string(), operator.first_node.clone(), reason]);
        }
        parts.push(table.render(console));
    }
    parts.join("\n")
}

/// The ports of a model that is refused, as its file declares them.
fn declared_ports(summary: &Summary) -> Table {
    let mut table = Table::new(&["", "name", "declared shape"]);
    for (what, declared) in [("input", &summary.inputs), ("output", &summary.outputs)] {
        for port in declared {
            let shape = port.shape.as_ref().map_or_else(|| "not stated".into(), |shape| format!("[{}]", shape.join(", ")));
            table.row([what.into(), port.name.clone(), shape]);
        }
    }
    table
}
