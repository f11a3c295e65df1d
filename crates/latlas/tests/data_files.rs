//! Files as NumPy and safetensors write them, round trips of our own, and files damaged in every way.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use latlas::data::{self, Float, NpyWriter};
use latlas::error::Error;
use ndarray::{Array2, ArrayD, IxDyn};
use proptest::prelude::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn read(file: &str) -> Result<data::Table, Error> {
    data::read(&fixtures().join("arrays").join(file).to_string_lossy())
}

/// A folder for the files of one test, in the folder that cargo gives to tests.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file anew: some file systems wait for the disk when one is emptied and written again.
fn put(path: &Path, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

/// The value of element k.
type Value = fn(f64) -> f64;

/// What `make_arrays.py` wrote.
fn expected(value: Value) -> ArrayD<f64> {
    Array2::from_shape_fn((3, 4), |(i, j)| value((4 * i + j) as f64)).into_dyn()
}

#[test]
fn numpy_files_of_every_kind() {
    let (unsigned, signed, half): (Value, Value, Value) = (|k| k, |k| k - 5.0, |k| (k - 5.0) / 2.0);
    let files: [(&str, Value, bool); 23] = [
        ("bool.npy", |k| k % 2.0, true),
        ("uint8.npy", unsigned, true),
        ("uint16.npy", unsigned, true),
        ("uint32_big.npy", unsigned, true),
        ("uint64.npy", unsigned, true),
        ("int8.npy", signed, true),
        ("int16_big.npy", signed, true),
        ("int32.npy", signed, true),
        ("int64_big.npy", signed, true),
        ("float16.npy", half, false),
        ("float32_big.npy", half, false),
        ("float64.npy", half, false),
        ("float64_fortran.npy", half, false),
        ("float32_v2.npy", half, false),
        ("float32_v3.npy", half, false),
        ("single.npz", unsigned, true),
        ("two.safetensors:half", half, false),
        ("two.safetensors:int", signed, true),
        ("plain.csv", half, false),
        ("header.csv", half, false),
        ("bytes-idx2-ubyte", unsigned, true),
        ("bytes.idx.gz", unsigned, true),
        ("floats.idx", half, false),
    ];
    for (file, value, integer) in files {
        let table = read(file).unwrap();
        assert_eq!((table.values, table.integer), (expected(value), integer), "{file}");
        assert_eq!((table.name.as_str(), table.sha256.len()), (file, 64));
    }
    for archive in ["stored", "deflated"] {
        for (key, value) in [("a", half), ("b", signed), ("c", half)] {
            assert_eq!(read(&format!("{archive}.npz:{key}")).unwrap().values, expected(value), "{archive}:{key}");
        }
    }
}

#[test]
fn faults_name_the_file_and_what_would_do() {
    let error = read("stored.npz:z").unwrap_err();
    assert!(error.to_string().ends_with("stored.npz: no array \"z\"; the file holds \"a\", \"b\", \"c\""), "{error}");
    assert!(read("deflated.npz").unwrap_err().hint().unwrap().contains("FILE:KEY"));
    assert!(read("objects.npy").unwrap_err().to_string().contains("pickle"));
    assert!(matches!(read("absent.npy"), Err(Error::Io { .. })));
    let galaxies = data::read(&fixtures().join("galaxies.npy").to_string_lossy()).unwrap();
    let error = data::rows(&galaxies, "decoder takes latents", Some(2)).unwrap_err();
    assert_eq!(error.to_string(), "decoder takes latents of width 2, galaxies.npy has shape [100000, 7]");
    let rows = data::finite_rows(&galaxies, "flow takes data", Some(7)).unwrap();
    let means = rows.mean_axis(ndarray::Axis(0)).unwrap();
    for (got, expected) in means.iter().zip([1.0099, 26.8826, 26.1817, 25.4810, 24.9461, 24.5654, 24.3011]) {
        assert!((got - expected).abs() < 5e-5, "{means}");
    }
}

#[test]
fn archives_that_lie_about_their_size_are_refused() {
    use std::io::Write as _;
    let path = folder("lies").join("bomb.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let deflated = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("z.npy", deflated).unwrap();
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000,), }\n";
    archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
    archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    archive.write_all(header.as_bytes()).unwrap();
    archive.finish().unwrap();
    let error = data::read(&path.to_string_lossy()).unwrap_err();
    assert!(error.to_string().contains("packed bytes cannot hold"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_arrays_are_read_again(shape in prop::collection::vec(0usize..5, 0..4), seed in any::<u32>()) {
        let count = shape.iter().product::<usize>();
        let value = |k: usize| f64::from_bits((u64::from(seed) * 2_654_435_761 + k as u64) % (1 << 62)).sin();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), (0..count).map(value).collect()).unwrap();
        let folder = folder("written");
        let (npy, npz) = (folder.join("x.npy"), folder.join("x.npz"));
        for float in [Float::F64, Float::F32] {
            let expected = if float == Float::F64 { array.clone() } else { array.mapv(|x| f64::from(x as f32)) };
            data::write_npy(&npy, &array, float).unwrap();
            prop_assert_eq!(&data::read(&npy.to_string_lossy()).unwrap().values, &expected);
            data::write_npz(&npz, &[("x", array.view()), ("transposed", array.t())], &[], float).unwrap();
            let name = npz.to_string_lossy();
            prop_assert_eq!(&data::read(&format!("{name}:x")).unwrap().values, &expected);
            prop_assert_eq!(data::read(&format!("{name}:transposed")).unwrap().values, expected.t());
        }
    }

    #[test]
    fn damaged_files_are_errors_or_arrays_but_never_panics(
        file in prop::sample::select(vec![
            "float64.npy", "float64_fortran.npy", "float32_v3.npy", "uint64.npy", "stored.npz", "deflated.npz", "two.safetensors",
            "plain.csv", "bytes-idx2-ubyte", "bytes.idx.gz", "floats.idx",
        ]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
        cut in any::<prop::sample::Index>(),
        truncate in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(fixtures().join("arrays").join(file)).unwrap();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if truncate {
            bytes.truncate(cut.index(bytes.len()));
        }
        let damaged = folder("damaged").join(file);
        put(&damaged, &bytes);
        let path = damaged.to_string_lossy();
        for spec in [path.to_string(), format!("{path}:a"), format!("{path}:half")] {
            if let Ok(table) = data::read(&spec) {
                // Whatever is still read is no larger than what the file can hold.
                prop_assert!(table.values.len() <= bytes.len() * 1100);
            }
        }
    }
}

#[test]
fn every_truncation_and_every_flipped_header_bit() {
    let folder = folder("cut");
    for file in ["float64.npy", "deflated.npz", "two.safetensors", "bytes.idx.gz", "floats.idx"] {
        let whole = std::fs::read(fixtures().join("arrays").join(file)).unwrap();
        let path = folder.join(file);
        for length in 0..whole.len() {
            put(&path, &whole[..length]);
            let keyed = if file.ends_with("npz") { ":a" } else { "" };
            let keyed = if file.ends_with("safetensors") { ":half" } else { keyed };
            assert!(data::read(&format!("{}{keyed}", path.display())).is_err(), "{file} cut to {length} bytes");
        }
        for at in 0..whole.len().min(160) {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                put(&path, &bytes);
                let _ = data::read(&path.to_string_lossy());
            }
        }
    }
}

#[test]
fn chunks_make_the_same_file_and_are_counted() {
    let folder = folder("chunks");
    let array = Array2::from_shape_fn((5, 3), |(i, j)| (i * 3 + j) as f64 / 7.0);
    let (whole, chunked) = (folder.join("whole.npy"), folder.join("chunked.npy"));
    data::write_npy(&whole, &array, Float::F32).unwrap();
    let mut writer = NpyWriter::create(&chunked, &[5, 3], Float::F32).unwrap();
    for row in array.outer_iter() {
        writer.write(row.iter()).unwrap();
    }
    assert!(matches!(writer.write([1.0].iter()), Err(Error::Shape { .. })));
    writer.finish().unwrap();
    assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(&chunked).unwrap());
    assert!(NpyWriter::create(&chunked, &[2], Float::F64).unwrap().finish().is_err());
}

#[test]
fn the_page_on_data_names_everything_that_is_built_in() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md")).unwrap();
    for set in data::BUILTINS {
        assert!(page.contains(&format!("`builtin:{}`", set.id)), "{}", set.id);
    }
    for form in latlas::models::closed_form::TABLE {
        assert!(page.contains(&format!("`builtin:{}`", form.id)) || page.contains(&format!(" `{}`", form.id)), "{}", form.id);
        let missing = form.parameters.iter().find(|p| !page.contains(&format!("`{}=", p.name)));
        assert!(missing.is_none(), "{}: {}", form.id, missing.unwrap().name);
    }
}

#[test]
fn arrays_on_a_stream_are_joined() {
    let folder = folder("stream");
    let whole = Array2::from_shape_fn((5, 3), |(i, j)| (i * 3 + j) as f64 / 7.0);
    let mut bytes = Vec::new();
    for (name, rows) in [("a", 0..2), ("b", 2..2), ("c", 2..5)] {
        let path = folder.join(format!("{name}.npy"));
        data::write_npy(&path, &whole.slice(ndarray::s![rows, ..]).to_owned().into_dyn(), Float::F64).unwrap();
        bytes.extend(std::fs::read(path).unwrap());
    }
    let table = data::read_stream(&bytes[..]).unwrap();
    assert_eq!((table.values, table.name, table.integer), (whole.clone().into_dyn(), "-".into(), false));
    assert_eq!(table.sha256, data::sha256(&bytes));
    for (what, damaged) in [
        ("no array arrived", &[][..]),
        ("array 1: the .npy header is truncated", &bytes[..9]),
        ("array 3: shape [3, 3] takes 72 bytes, the file holds 71: it is truncated", &bytes[..bytes.len() - 1]),
        ("array 1: not a .npy file", &bytes[1..]),
    ] {
        let error = data::read_stream(damaged).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let path = folder.join("wide.npy");
    data::write_npy(&path, &Array2::zeros((2, 4)).into_dyn(), Float::F64).unwrap();
    bytes.extend(std::fs::read(path).unwrap());
    let error = data::read_stream(&bytes[..]).unwrap_err().to_string();
    assert!(error.contains("array 4 has the shape [2, 4], those before it together [5, 3]"), "{error}");
}
