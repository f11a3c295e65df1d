//! A DCGAN of faces: 100 latents, 12,288 values. The model is too large for the repository; `cargo dev data` fetches it.

use std::path::PathBuf;

use crate::fixture::{array, error, matrix, options};
use latlas::linalg::{r_factor, singular_values};
use latlas::models::{Decoder, OnnxDecoder};
use latlas::settings::Dtype;
use ndarray::Axis;

const CHECK: &str = "dcgan_faces.check.npz";

#[test]
fn values_and_singular_values_agree() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/dcgan_faces.onnx");
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there; `cargo dev data` fetches it", path.display());
        return;
    }
    let (z, x, sigma) = (matrix(CHECK, "z"), array(CHECK, "x"), matrix(CHECK, "jacobian_singular_values"));
    // The values are stored in single precision.
    for (dtype, value, spectrum) in [(Dtype::F64, 1e-6, 1e-9), (Dtype::F32, 1e-5, 1e-4)] {
        let decoder = OnnxDecoder::load(&path, &options(dtype)).unwrap();
        assert_eq!((decoder.latent_dim(), decoder.ambient_shape()), (100, &[3, 64, 64][..]));
        assert!(decoder.has_kinks());
        let at = decoder.linearize(z.view(), None).unwrap();
        let columns = at.columns().unwrap();
        assert!(error(at.decoded().unwrap(), &x) < value, "{dtype:?}");
        for (s, expected) in sigma.outer_iter().enumerate() {
            let got = singular_values(r_factor(columns.index_axis(Axis(0), s)).view()).unwrap();
            let worst = got.iter().zip(expected).map(|(g, e)| (g / e - 1.0).abs()).fold(0.0, f64::max);
            assert!(worst < spectrum, "{dtype:?} {s}: {worst}");
        }
    }
}
