//! Saved graphs mean what they meant: read back here, and left with our numbers for other runtimes to check.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use latlas_graph::evaluate::evaluate;
use latlas_graph::onnx::{Layout, LoadOptions, load_bytes, save, save_with};
use latlas_graph::transform::jvp;
use latlas_graph::{Axis, Error, Graph, NodeId, Op, Port, Rows};
use npyz::WriterBuilder as _;

use super::cases::all;
use super::{Primal, Random, SAMPLES, distance, norm, spread};

/// Models and the numbers they give are left here, one `.onnx` and one `.npz` each; `peers/check_export.py` reads them.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export");
        // What an earlier run left is no longer ours.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// An array as its user sees it.
pub struct Array {
    pub name: String,
    pub dims: Vec<usize>,
    pub values: Vec<f64>,
}

/// What the ports of a graph hold, with rows and shapes as the saved file has them.
pub fn arrays(graph: &Graph, n: usize, inputs: &[Vec<f64>], outputs: &[Vec<f64>], layouts: &[Layout]) -> Vec<Array> {
    let dims =
        |rows: Rows, shape: &[usize]| rows.iter().map(|axis| graph.axis_size(axis, n)).chain(shape.iter().copied()).collect::<Vec<_>>();
    let mut all = vec![];
    for (port, values) in graph.inputs.iter().zip(inputs).filter(|(port, _)| port.default.is_none()) {
        all.push(Array {
            name: format!("input:{}", port.name),
            dims: dims(graph.node(port.node).rows, &port.shape),
            values: values.clone(),
        });
    }
    for (i, (port, values)) in graph.outputs.iter().zip(outputs).enumerate() {
        let rows = graph.node(port.node).rows.union(Rows::SAMPLE);
        let values = spread_to(graph, port.node, values, rows, n);
        let array = Array { name: format!("output:{}", port.name), dims: dims(rows, &port.shape), values };
        let first = layouts.get(i).copied().unwrap_or_default() == Layout::RowsFirst;
        all.push(if first { array } else { shape_first(array, rows.len() - 1) });
    }
    all
}

/// [`spread`] for any number of samples.
fn spread_to(graph: &Graph, node: NodeId, values: &[f64], rows: Rows, n: usize) -> Vec<f64> {
    if n == SAMPLES {
        return spread(graph, node, values, rows);
    }
    let own = graph.node(node).rows;
    assert!(own == rows || own.union(Rows::of(Axis::SAMPLE)) == rows);
    if own == rows { values.to_vec() } else { values.repeat(n) }
}

/// `[N, rows.., shape..]` as `[N, shape.., rows..]`.
fn shape_first(array: Array, rows: usize) -> Array {
    let (n, k) = (array.dims[0], array.dims[1..=rows].iter().product::<usize>());
    let item = array.values.len() / (n * k).max(1);
    let values = (0..n * item * k).map(|i| array.values[i / (item * k) * item * k + i % k * item + i / k % item]).collect();
    let dims = [&array.dims[..1], &array.dims[rows + 1..], &array.dims[1..=rows]].concat();
    Array { dims, values, ..array }
}

/// Leaves a model and its numbers for other runtimes.
pub fn leave(name: &str, model: &[u8], arrays: &[Array]) {
    let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    std::fs::write(folder().join(format!("{name}.onnx")), model).unwrap();
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder().join(format!("{name}.npz"))).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for array in arrays {
        archive.start_file(format!("{}.npy", array.name), options).unwrap();
        let shape: Vec<u64> = array.dims.iter().map(|&d| d as u64).collect();
        let mut bytes = vec![];
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd().unwrap();
        writer.extend(array.values.iter().copied()).unwrap();
        writer.finish().unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap();
}

/// The largest difference of the model, loaded again, to the arrays, relative to the largest entry of each.
fn read_back(model: Vec<u8>, n: usize, arrays: &[Array]) -> Result<f64, Error> {
    let graph = load_bytes(model, None, &LoadOptions::default())?;
    let find = |name: String| &arrays.iter().find(|a| a.name == name).unwrap().values;
    let inputs: Vec<Vec<f64>> = graph.inputs.iter().map(|port| find(format!("input:{}", port.name)).clone()).collect();
    let outputs = evaluate(&graph, n, &inputs)?;
    let mut worst = 0.0_f64;
    for (port, values) in graph.outputs.iter().zip(outputs) {
        let rows = graph.node(port.node).rows.union(Rows::SAMPLE);
        let values = spread_to(&graph, port.node, &values, rows, n);
        let expected = find(format!("output:{}", port.name));
        worst = worst.max(distance(&values, expected) / norm(expected).max(1e-3));
    }
    Ok(worst)
}

#[test]
fn every_operation_is_saved_as_what_it_is() {
    let mut unsupported = std::collections::BTreeSet::new();
    for (number, case) in all().into_iter().enumerate() {
        let random = &mut Random(5);
        let primal = Primal::new(&case, random);
        let (mut b, inputs, y) = case.build();
        let tangent = b.axis("tangent", 2).unwrap();
        let (mut seeds, mut values) = (vec![], primal.point.clone());
        for i in primal.differentiable() {
            let (rows, shape) = (b.rows(inputs[i]).union(Rows::of(tangent)), b.shape(inputs[i]).to_vec());
            let v = b.input(&format!("v{i}"), rows, &shape, &shape);
            values.push(random.array(b.graph().row_count(rows, SAMPLES) * b.graph().node(v).item_len(), -1.0, 1.0));
            seeds.push((inputs[i], v));
        }
        let dy = jvp(&mut b, &seeds, &[y]).unwrap()[0];
        let port = |name: &str, node: NodeId| Port { name: name.into(), node, shape: b.shape(node).to_vec(), default: None };
        let ports = [("y", Some(y)), ("dy", dy)].into_iter().filter_map(|(name, node)| node.map(|node| port(name, node))).collect();
        let mut graph = b.finish(ports);
        for (i, port) in graph.inputs.iter_mut().enumerate().filter(|(_, port)| port.name == "x") {
            port.name = format!("x{i}");
        }
        let outputs = evaluate(&graph, SAMPLES, &values).unwrap();
        let varies = |port: &Port| graph.node(port.node).rows.contains(Axis::SAMPLE);
        if !graph.inputs.iter().any(varies) && graph.nodes().iter().any(|node| node.op == Op::Count(Axis::SAMPLE)) {
            assert!(matches!(save(&graph), Err(Error::Graph { .. })), "{}: a file without N cannot count", case.name);
            continue;
        }
        let model = save(&graph).unwrap();
        let arrays = arrays(&graph, SAMPLES, &values, &outputs, &[]);
        leave(&format!("{number:03} {}", case.name), &model, &arrays);
        // Our own reader takes the first axis of every input for the batch.
        if !graph.inputs.iter().all(varies) {
            continue;
        }
        match read_back(model, SAMPLES, &arrays) {
            Ok(error) => assert!(error < 1e-6, "{}: {error:e}", case.name),
            // A sum over samples is a graph, but no decoder.
            Err(Error::MixesSamples { .. }) => {
                assert!(graph.nodes().iter().any(|node| node.op.sum_rows().contains(Axis::SAMPLE)), "{}", case.name);
            }
            Err(Error::Unsupported { operators }) => unsupported.extend(operators.into_iter().map(|o| o.op)),
            Err(error) => panic!("{}: {error}", case.name),
        }
    }
    assert!(unsupported.is_empty(), "operators that are written but not read: {unsupported:?}");
}

#[test]
fn names_that_stand_twice_are_refused() {
    let (b, _, y) = all()[0].build();
    let port = |name: &str| Port { name: name.into(), node: y, shape: b.shape(y).to_vec(), default: None };
    let ports = vec![port("y"), port("y")];
    assert!(matches!(save(&b.clone().finish(ports)), Err(Error::Graph { .. })));
}

#[test]
fn a_jacobian_is_saved_in_its_natural_order() {
    let (b, _, y) = all()[1].build();
    let port = Port { name: "y".into(), node: y, shape: b.shape(y).to_vec(), default: None };
    let graph = b.finish(vec![port]).jacobian(0, &[0]).unwrap();
    let layouts = [Layout::RowsFirst, Layout::ShapeFirst];
    let x = vec![vec![0.5, -1.0, 2.0, 0.25, 1.5, -0.75]];
    let outputs = evaluate(&graph, 1, &x).unwrap();
    let arrays = arrays(&graph, 1, &x, &outputs, &layouts);
    assert_eq!(arrays[2].dims, [1, 2, 3, 6], "[N, D.., d]");
    assert_eq!(arrays[2].values[6 + 1], -1.0, "the derivative of |−1|, on the diagonal");
    let model = save_with(&graph, &layouts).unwrap();
    leave("jacobian in its natural order", &model, &arrays);
}
