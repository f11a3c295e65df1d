//! Files that nobody meant well: cut off, damaged, pointing elsewhere, or asking for more than there is.

use std::path::{Path, PathBuf};

use prost::Message;

use super::{Model, int, list, node};
use crate::onnx::proto::{StringStringEntryProto, TensorProto};
use crate::onnx::{LoadOptions, load, load_bytes};
use crate::{Data, Error, Op};

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("latlas-graph-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn external(entries: &[(&str, &str)]) -> Model {
    let entry = |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
    let tensor = TensorProto {
        name: "w".into(),
        dims: vec![1, 3],
        data_type: 1,
        data_location: 1,
        external_data: entries.iter().map(entry).collect(),
        ..Default::default()
    };
    let mut model = Model::new(17).input("z", &[-1, 3]).node("Add", &["z", "w"], &["x"], &[]).output("x");
    model.graph().initializer.push(tensor);
    model
}

#[test]
fn external_data_is_mapped_and_bounded() {
    let root = folder("external");
    let inside = root.join("model");
    std::fs::create_dir_all(&inside).unwrap();
    let bytes: Vec<u8> = [9.0f32, 1.0, 2.0, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    std::fs::write(inside.join("w.data"), &bytes).unwrap();
    std::fs::write(root.join("secret"), &bytes).unwrap();
    let try_load = |entries: &[(&str, &str)]| {
        let path = inside.join("m.onnx");
        std::fs::write(&path, external(entries).bytes()).unwrap();
        load(&path, &LoadOptions::default())
    };
    let graph = try_load(&[("location", "w.data"), ("offset", "4"), ("length", "12")]).unwrap();
    let mapped = graph.nodes().iter().find_map(|n| match &n.op {
        Op::Constant(t) if matches!(t.data(), Data::Mapped(..)) => Some(t.to_f64()),
        _ => None,
    });
    assert_eq!(mapped.unwrap(), [1.0, 2.0, 3.0]);
    // No length: what the shape needs.
    assert!(try_load(&[("location", "./w.data")]).is_ok());
    for location in ["../secret", "/etc/passwd", "a/../../secret", "", "w.data/../../secret", "..\\secret"] {
        assert!(matches!(try_load(&[("location", location)]).unwrap_err(), Error::Node { .. }), "{location}");
    }
    for (offset, length) in [("8", "12"), ("18446744073709551615", "12"), ("-1", "12"), ("4", "18446744073709551615"), ("0", "8")] {
        assert!(try_load(&[("location", "w.data"), ("offset", offset), ("length", length)]).is_err(), "{offset} {length}");
    }
    assert!(matches!(try_load(&[("location", "absent")]).unwrap_err(), Error::Io { .. }));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.join("secret"), inside.join("link")).unwrap();
        assert!(matches!(try_load(&[("location", "link")]).unwrap_err(), Error::Node { .. }));
    }
    let error = load_bytes(external(&[("location", "w.data")]).bytes(), None, &LoadOptions::default()).unwrap_err();
    assert!(error.hint().unwrap().contains("path"), "{error}");
    std::fs::remove_dir_all(root).unwrap();
}

/// Numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % n as u64) as usize
    }
}

/// Damages a file in one of several ways, often where its structure is and not its weights.
fn damaged(original: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let reach = if dice.below(2) == 0 { bytes.len() } else { bytes.len().min(600) };
    match dice.below(4) {
        0 => bytes.truncate(dice.below(bytes.len())),
        1 => (0..=dice.below(8)).for_each(|_| bytes[dice.below(reach)] ^= 1 << dice.below(8)),
        2 => {
            let (from, to) = (dice.below(reach), dice.below(reach));
            let count = dice.below(64).min(original.len() - from.max(to));
            bytes[to..to + count].copy_from_slice(&original[from..from + count]);
        }
        _ => {
            let at = dice.below(reach);
            bytes.splice(at..(at + dice.below(16)).min(original.len()), (0..dice.below(16)).map(|i| (i * 37) as u8 | 0x80));
        }
    }
    bytes
}

#[test]
fn damaged_files_are_errors_or_other_models_and_never_panic() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../latlas/assets/digits_vae.onnx");
    let all = [
        (digits, 3000),
        (models.join("attention.script.many.onnx"), 600),
        (models.join("spline.script.many.onnx"), 600),
        (models.join("residual.dynamo.many.onnx"), 600),
        (models.join("convolutional.script.one.onnx"), 600),
    ];
    let mut dice = Dice(20261);
    for (path, tries) in all {
        let original = std::fs::read(&path).unwrap();
        let mut refused = 0;
        for _ in 0..tries {
            refused += usize::from(load_bytes(damaged(&original, &mut dice), None, &LoadOptions::default()).is_err());
        }
        assert!(refused > tries / 4, "{}: only {refused} of {tries} refused", path.display());
    }
}

#[test]
fn sizes_that_no_machine_has_are_refused() {
    let one = |op: &str, inputs: &[&str], attributes: &[_]| {
        Model::new(17)
            .input("z", &[-1, 3])
            .ints("huge", &[2], &[1 << 40, 1 << 40])
            .ints("long", &[1], &[1 << 40])
            .ints("zero", &[], &[0])
            .ints("end", &[], &[i64::MAX])
            .ints("one", &[], &[1])
            .ints("hole", &[3], &[0, 1 << 40, 1 << 20])
            .ints("pads", &[4], &[0, i64::MAX, 0, i64::MAX])
            .ints("pads2", &[4], &[i64::MIN, 0, i64::MAX, 1 << 40])
            .floats("off", &[2], &[0.0, 1.0])
            .ints("index", &[1, 1], &[0])
            .node(op, inputs, &["x"], attributes)
            .output("x")
            .load()
    };
    let cases: &[(&str, &[&str])] = &[
        ("ConstantOfShape", &["huge"]),
        ("ConstantOfShape", &["hole"]),
        ("Expand", &["z", "huge"]),
        ("Tile", &["z", "huge"]),
        ("Range", &["zero", "end", "one"]),
        ("Pad", &["z", "pads"]),
        ("Pad", &["z", "pads2"]),
        ("OneHot", &["index", "end", "off"]),
        ("OneHot", &["index", "long", "off"]),
        ("Reshape", &["z", "huge"]),
        ("Resize", &["z", "", "", "huge"]),
    ];
    for (op, inputs) in cases {
        assert!(one(op, inputs, &[]).is_err(), "{op} {inputs:?}");
    }
    assert!(one("AveragePool", &["z"], &[list("kernel_shape", &[i64::MAX])]).is_err());
    assert!(one("Split", &["z"], &[int("num_outputs", i64::MAX)]).is_err());
}

#[test]
fn deep_nesting_is_refused() {
    // Branches inside branches, deeper than anybody writes.
    let mut body = vec![node("Neg", &["z"], &["t"], &[])];
    for _ in 0..60 {
        let graph = crate::onnx::proto::GraphProto { node: body, output: vec![super::info("t", &[])], ..Default::default() };
        let then =
            crate::onnx::proto::AttributeProto { name: "then_branch".into(), g: Some(Box::new(graph)), kind: 5, ..Default::default() };
        body = vec![node("If", &["c"], &["t"], &[then])];
    }
    let mut model = Model::new(17).input("z", &[-1, 3]).ints("c", &[], &[1]).output("t");
    model.graph().node = body;
    assert!(model.load().is_err());
    // The same without the structure: a field in a field in a field …
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        bytes = [vec![0x3a], varint(bytes.len()), bytes].concat();
        if bytes.len() > 200_000 {
            break;
        }
    }
    assert!(load_bytes(bytes, None, &LoadOptions::default()).is_err());
}

fn varint(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 128 {
        bytes.push((n % 128) as u8 | 128);
        n /= 128;
    }
    bytes.push(n as u8);
    bytes
}

#[test]
fn small_files_that_would_become_large_are_refused_before_they_do() {
    // Each two bytes are an empty node of some hundred.
    let nodes = [0x0a, 0x00].repeat(8 << 20);
    let graph = [vec![0x3a], varint(nodes.len()), nodes].concat();
    let opset = [vec![0x42, 0x02, 0x10, 0x11], graph].concat();
    assert!(matches!(load_bytes(opset, None, &LoadOptions::default()).unwrap_err(), Error::Limit { .. }));
}

#[test]
fn an_empty_file_and_other_formats_are_refused() {
    for bytes in [&b""[..], b"PK\x03\x04 a torch archive", b"\x80\x02}q\x00.", b"{\"json\": 1}", &[0xff; 64]] {
        assert!(load_bytes(bytes.to_vec(), None, &LoadOptions::default()).is_err());
    }
    let without = Model::new(17).input("z", &[-1, 2]);
    assert!(without.load().is_err());
    assert!(load(Path::new("/"), &LoadOptions::default()).is_err());
    assert!(crate::onnx::read_tensor(TensorProto { dims: vec![i64::MAX, 2], data_type: 1, ..Default::default() }.encode_to_vec()).is_err());
}
