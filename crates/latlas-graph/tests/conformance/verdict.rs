//! Running one test, and judging its numbers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use latlas_graph::evaluate::evaluate;
use latlas_graph::execute::{Options, Program};
use latlas_graph::onnx::{LoadOptions, load_bytes};
use latlas_graph::{Error, Graph, Port, Tensor};

use crate::case::{Argument, Case};

/// What came of a test.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// All numbers are right.
    Passed,
    /// The model was refused.
    Unsupported {
        /// What the refusal said.
        reason: String,
        /// Whether the test has nothing that Latlas is meant to compute: text, sequences, training.
        excused: bool,
    },
    /// A number is wrong, or the program failed in a way it must not.
    Wrong(String),
}

/// Runs a test.
///
/// Inputs are bound as constants as far as needed: first none, then those that are not floats (shapes, axes, indices),
/// then all but the first (scales, weights), then all. The first binding that loads is judged; where it was not the last,
/// the last one is judged too, which tests the folding of constants.
pub fn verdict(case: &Case) -> Verdict {
    if let Some(what) = case.inputs.iter().chain(&case.outputs).find_map(Argument::strangeness) {
        return Verdict::Unsupported { reason: what.into(), excused: true };
    }
    if let Some(argument) = case.inputs.iter().chain(&case.outputs).find(|a| a.value.is_none()) {
        return Verdict::Wrong(format!("its data for {:?} cannot be read", argument.name));
    }
    let bindings: [fn(usize, &Argument) -> bool; 4] = [|_, _| false, |_, a| !a.is_float(), |i, _| i > 0, |_, _| true];
    let mut refusal = None;
    for binding in bindings {
        let bound: Vec<bool> = case.inputs.iter().enumerate().map(|(i, a)| binding(i, a)).collect();
        match caught(|| load(case, &bound)) {
            Err(panic) => return Verdict::Wrong(panic),
            Ok(Err(error)) => drop(refusal.get_or_insert(error)),
            Ok(Ok(graph)) => {
                let judged = judge(case, &bound, &graph);
                let Ok(Ok(folded)) = caught(|| load(case, &vec![true; bound.len()])) else { return judged };
                return if judged == Verdict::Passed { judge(case, &vec![true; bound.len()], &folded) } else { judged };
            }
        }
    }
    refusal.map_or(Verdict::Wrong("it has no inputs and was not tried".into()), |error| refused(case, &error))
}

fn load(case: &Case, bound: &[bool]) -> Result<Graph, Error> {
    let constant = |(a, _): (&Argument, &bool)| Some((a.name.clone(), a.value.clone()?));
    let constants = case.inputs.iter().zip(bound).filter(|(_, bound)| **bound).filter_map(constant).collect();
    load_bytes(case.model.clone(), None, &LoadOptions { constants, ..LoadOptions::default() })
}

fn refused(case: &Case, error: &Error) -> Verdict {
    let reason = match error {
        Error::Unsupported { operators } => {
            let one = |o: &latlas_graph::UnsupportedOperator| match &o.reason {
                Some(reason) => format!("{}: {reason}", o.op),
                None => format!("{}: not supported", o.op),
            };
            operators.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Error::Node { op, what, .. } => format!("{op}: {what}"),
        other => other.to_string(),
    };
    let excused = reason.contains("training mode") || case.name.contains("training");
    Verdict::Unsupported { reason, excused }
}

/// One way of running a graph.
type Run<'a> = &'a dyn Fn() -> Result<Vec<Vec<f64>>, Error>;

fn judge(case: &Case, bound: &[bool], graph: &Graph) -> Verdict {
    let computed = case.inputs.iter().zip(bound).filter(|(_, bound)| !**bound).filter_map(|(a, _)| a.value.as_ref());
    // Where only the type of an input counts, the suite stores fewer elements than it declares.
    let filled = |(tensor, port): (&Tensor, &Port)| tensor.to_f64().into_iter().cycle().take(graph.node(port.node).item_len()).collect();
    let values: Vec<Vec<f64>> = computed.zip(&graph.inputs).map(filled).collect();
    let reference = || evaluate(graph, 1, &values);
    let executed = || {
        let mut outputs = Vec::new();
        let inputs: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        Program::<f64>::compile(graph, &Options::default())?.run(1, &inputs, &mut outputs)?;
        Ok(outputs)
    };
    let runs: [(&str, Run<'_>); 2] = [("reference", &reference), ("executor", &executed)];
    for (who, run) in runs {
        let outputs = match caught(run) {
            Ok(Ok(outputs)) => outputs,
            Ok(Err(error)) => return Verdict::Wrong(format!("{who}: {error}")),
            Err(panic) => return Verdict::Wrong(format!("{who}: {panic}")),
        };
        for ((expected, got), port) in case.outputs.iter().zip(&outputs).zip(&graph.outputs) {
            if let Some(how) = difference(&case.name, expected, &graph.node(port.node).shape, got) {
                return Verdict::Wrong(format!("{who}: output {:?} {how}", port.name));
            }
        }
    }
    Verdict::Passed
}

/// Where a result differs from what must come out, if it does.
fn difference(test: &str, expected: &Argument, shape: &[usize], got: &[f64]) -> Option<String> {
    let tensor = expected.value.as_ref()?;
    if tensor.dims() != shape {
        return Some(format!("has shape {shape:?}, expected {:?}", tensor.dims()));
    }
    let element = expected.element?;
    // A result is compared in the type of the output; reference numbers were computed in that type as well.
    let (round, relative): (fn(f64) -> f64, f64) = match element {
        10 => (|x| half::f16::from_f64(x).to_f64(), 1e-3),
        16 => (|x| half::bf16::from_f64(x).to_f64(), 8e-3),
        11 => (|x| x, 1e-7),
        // The standard's window functions were computed with π = 3.1415.
        1 => (|x| x, if test.contains("window") { 1e-3 } else { 1e-4 }),
        _ => (|x| x, 0.0),
    };
    let absolute = if relative == 0.0 { 0.0 } else { 1e-6 };
    let close = |g: f64, e: f64| g == e || (g.is_nan() && e.is_nan()) || (g - e).abs() <= absolute + relative * e.abs();
    let wrong: Vec<usize> = (0..got.len()).filter(|&i| !close(round(got[i]), tensor.at(i))).collect();
    let first = *wrong.first()?;
    Some(format!("has {} of {} wrong; element {first} is {}, expected {}", wrong.len(), got.len(), got[first], tensor.at(first)))
}

fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panic: {}", text.unwrap_or("?"))
    })
}
