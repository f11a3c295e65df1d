//! Operator conformance: the backend tests of the ONNX standard, each run as one sample in double precision, by the
//! reference interpreter and by the executor.
//!
//! The tests are Debian's package `libonnx-testdata`, unpacked to `data/libonnx-testdata` (`cargo dev data`) or to the
//! folder that `LATLAS_ONNX_TESTDATA` names. Without them this suite says so and passes. `docs/operators.md` is made here.

#![allow(clippy::unwrap_used)]

mod case;
mod page;
mod proto;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use case::Case;
use verdict::{Verdict, verdict};

/// One test and what came of it.
pub struct Outcome {
    case: Case,
    verdict: Verdict,
}

/// The operators that exporters write and that must be supported in every test that has numbers to compare.
const REQUIRED: &[&str] = &[
    "Abs",
    "Add",
    "And",
    "Atan",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Celu",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvTranspose",
    "Cos",
    "CumSum",
    "DepthToSpace",
    "Div",
    "Dropout",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Floor",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "NonZero",
    "Not",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "Range",
    "Reciprocal",
    "ReduceL2",
    "ReduceMax",
    "ReduceMean",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Resize",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shape",
    "Sigmoid",
    "Sign",
    "Sin",
    "Slice",
    "Softmax",
    "Softplus",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Tile",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Where",
];

/// All outcomes, or `None` where the tests are not on this machine.
static OUTCOMES: LazyLock<Option<Vec<Outcome>>> = LazyLock::new(|| {
    let Some(folder) = testdata() else {
        eprintln!("skipped: no ONNX test data; `cargo dev data` fetches it, or name its folder in LATLAS_ONNX_TESTDATA");
        return None;
    };
    let run = |case: Case| Outcome { verdict: verdict(&case), case };
    Some(case::all(&folder).into_iter().map(run).collect())
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn testdata() -> Option<PathBuf> {
    let own = root().join("data/libonnx-testdata");
    let unpacked = "usr/share/libonnx-testdata/data";
    let named = std::env::var_os("LATLAS_ONNX_TESTDATA").map(PathBuf::from);
    named.into_iter().chain([own]).flat_map(|p| [p.join("data"), p.join(unpacked), p]).find(|p| p.join("node").is_dir())
}

#[test]
fn no_operator_is_wrong() {
    let Some(outcomes) = &*OUTCOMES else { return };
    let wrong = outcomes.iter().filter_map(|o| match &o.verdict {
        Verdict::Wrong(how) => Some(format!("{}/{}: {how}", o.case.suite, o.case.name)),
        _ => None,
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} tests:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
    assert!(outcomes.iter().filter(|o| o.verdict == Verdict::Passed).count() > 700, "the test data is not complete");
}

#[test]
fn what_exporters_write_is_supported() {
    let Some(outcomes) = &*OUTCOMES else { return };
    let missing = outcomes.iter().filter_map(|o| match &o.verdict {
        Verdict::Unsupported { reason, excused: false } if o.case.operators.iter().all(|op| REQUIRED.contains(&op.as_str())) => {
            Some(format!("{}/{}: {reason}", o.case.suite, o.case.name))
        }
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    assert!(missing.is_empty(), "{} tests:\n{}", missing.len(), missing.join("\n"));
    let known: Vec<&str> = latlas_graph::onnx::ops::all().map(|e| e.op).collect();
    let unknown: Vec<&&str> = REQUIRED.iter().filter(|op| !known.contains(op)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in the table");
}

#[test]
fn generated_operators_page_is_current() {
    let Some(outcomes) = &*OUTCOMES else { return };
    let (path, text) = (root().join("docs/operators.md"), page::page(outcomes));
    if std::env::var_os("LATLAS_GENERATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(current == text, "docs/operators.md is not current; `cargo dev generate` writes it anew");
}
