//! The data and models that ship inside the program. Origins and licences: `assets/NOTICE.md`.

use std::sync::LazyLock;

use ndarray::{Array3, ArrayD, Ix1, Ix3};

use super::sprites::{self, COUNT, Style};
use super::{Raw, Table, npz, sha256, toys};
use crate::error::{Error, Result};

/// The test part of the Optical Recognition of Handwritten Digits data (Alpaydin and Kaynak, UCI Machine Learning
/// Repository, 1998), as bundled with scikit-learn.
const DIGITS: &[u8] = include_bytes!("../../assets/digits.npz");

/// A set that `builtin:ID` names.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// What follows `builtin:`.
    pub id: &'static str,
    /// What it is, with its shape.
    pub title: &'static str,
    /// The file that it is made from.
    file: &'static [u8],
    make: fn() -> Raw,
}

/// All sets.
pub const BUILTINS: &[Builtin] = &[
    Builtin { id: "digits", title: "1797 handwritten digits, 8×8 pixels in [0, 1]: [1797, 64]", file: DIGITS, make: digit_images },
    Builtin {
        id: "dsprites:demo",
        title: "9,216 sprites, 3 shapes × 6 scales × 8 orientations × 8 × 8 positions, 64×64 pixels: [9216, 4096]",
        file: b"dsprites:demo",
        make: demo_sprites,
    },
    Builtin {
        id: "dsprites:demo:factors",
        title: "indices of colour, shape, scale, orientation, x and y of each of them: [9216, 6]",
        file: b"dsprites:demo:factors",
        make: demo_factors,
    },
    Builtin {
        id: "two-moons",
        title: "10,000 points around two half circles, entropy 1.0076 nats: [10000, 2]",
        file: b"two-moons",
        make: moons,
    },
    Builtin { id: "two-moons:labels", title: "which moon each of them belongs to: [10000]", file: b"two-moons:labels", make: moon_labels },
    Builtin { id: "digits:labels", title: "which digit each of them is, 0 to 9: [1797]", file: DIGITS, make: digit_labels },
];

/// A trained model that ships inside the program, as the bytes of an ONNX file.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Its name.
    pub id: &'static str,
    /// What it is, with its inputs and outputs.
    pub title: &'static str,
    /// The ONNX file.
    pub bytes: &'static [u8],
}

/// All trained models.
pub const MODELS: &[Model] = &[
    Model {
        id: "digits-vae",
        title: "decoder of a VAE of the digits: z [n, 2] → mean, logvar [n, 64]",
        bytes: include_bytes!("../../assets/digits_vae.onnx"),
    },
    Model {
        id: "digits-encoder",
        title: "encoder of the same VAE: x [n, 64] → z_mean, z_logvar [n, 2]",
        bytes: include_bytes!("../../assets/digits_encoder.onnx"),
    },
];

/// The ONNX file of a model that ships inside the program.
pub fn builtin_model(id: &str) -> Option<&'static [u8]> {
    MODELS.iter().find(|model| model.id == id).map(|model| model.bytes)
}

/// Sets that are drawn when they are needed, too large to be read at once.
pub const SPRITES: &[(&str, Style)] = &[("dsprites", Style::Plain), ("noisy-dsprites", Style::Noisy)];

pub(super) fn read(id: &str) -> Result<Table> {
    if SPRITES.iter().any(|(name, _)| *name == id) {
        return Err(Error::Input {
            what: format!("builtin:{id} holds {COUNT} pictures, which are drawn when an encoder asks for them"),
            hint: Some("give it as --data with --encoder and no decoder, or take builtin:dsprites:demo, which has 9,216".into()),
        });
    }
    let set = BUILTINS.iter().find(|set| set.id == id).ok_or_else(|| Error::Input {
        what: format!("there is no built-in set {id:?}"),
        hint: Some(format!("there are {}", BUILTINS.iter().map(|set| format!("builtin:{}", set.id)).collect::<Vec<_>>().join(", "))),
    })?;
    let Raw { values, integer } = (set.make)();
    Ok(Table { name: format!("builtin:{id}"), sha256: sha256(set.file), values, integer })
}

/// The digits: images `[1797, 8, 8]` with grey values 0 to 16, row by row from the top left, and labels 0 to 9 `[1797]`.
///
/// Rows 0 to 1436 trained the built-in VAE, which takes value / 16; the other 360 are its test rows.
pub fn digits() -> (Array3<u8>, Vec<u8>) {
    let (images, labels) = &*UNPACKED;
    (images.clone(), labels.clone())
}

static UNPACKED: LazyLock<(Array3<u8>, Vec<u8>)> = LazyLock::new(|| {
    // The file is part of the program, and a test unpacks it: it cannot be damaged here.
    let array = |key| npz::parse(DIGITS, Some(key)).map(|raw| raw.values.mapv(|x| x as u8)).unwrap_or_default();
    let images = array("images").into_dimensionality::<Ix3>().unwrap_or_default();
    let labels = array("labels").into_dimensionality::<Ix1>().map(|a| a.to_vec()).unwrap_or_default();
    (images, labels)
});

/// The demo takes every fifth orientation and every fourth position.
fn demo_indices() -> impl Iterator<Item = usize> {
    (0..COUNT).filter(|index| {
        let [.., orientation, x, y] = sprites::factors(*index);
        orientation.is_multiple_of(5) && x.is_multiple_of(4) && y.is_multiple_of(4)
    })
}

fn demo_sprites() -> Raw {
    let values: Vec<f64> =
        demo_indices().flat_map(|index| sprites::sprite(&sprites::factors(index)).into_iter().map(|on| f64::from(u8::from(on)))).collect();
    let width = Style::Plain.width();
    Raw { values: ArrayD::from_shape_vec(vec![values.len() / width, width], values).unwrap_or_default(), integer: false }
}

fn demo_factors() -> Raw {
    let values: Vec<f64> = demo_indices().flat_map(|index| sprites::factors(index).map(|factor| factor as f64)).collect();
    Raw { values: ArrayD::from_shape_vec(vec![values.len() / 6, 6], values).unwrap_or_default(), integer: true }
}

fn moons() -> Raw {
    let values: Vec<f64> = toys::two_moons(toys::POINTS, 0).into_iter().flatten().collect();
    Raw { values: ArrayD::from_shape_vec(vec![toys::POINTS, 2], values).unwrap_or_default(), integer: false }
}

fn moon_labels() -> Raw {
    let values: Vec<f64> = (0..toys::POINTS).map(|i| toys::moon(i) as f64).collect();
    Raw { values: ArrayD::from_shape_vec(vec![toys::POINTS], values).unwrap_or_default(), integer: true }
}

fn digit_images() -> Raw {
    let (images, _) = &*UNPACKED;
    let (n, height, width) = images.dim();
    let values = images.iter().map(|&grey| f64::from(grey) / 16.0).collect();
    let values = ArrayD::from_shape_vec(vec![n, height * width], values).unwrap_or_default();
    Raw { values, integer: false }
}

fn digit_labels() -> Raw {
    let (_, labels) = &*UNPACKED;
    Raw { values: labels.iter().map(|&label| f64::from(label)).collect::<ndarray::Array1<f64>>().into_dyn(), integer: true }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, clippy::naive_bytecount)]

    use super::*;

    #[test]
    fn digits_are_complete() {
        let (images, labels) = digits();
        assert_eq!((images.dim(), labels.len()), ((1797, 8, 8), 1797));
        let mean = images.iter().map(|&x| f64::from(x)).sum::<f64>() / images.len() as f64;
        assert!((mean - 4.884).abs() < 5e-4, "{mean}");
        let of_class = |class| labels.iter().filter(|&&label| label == class).count();
        assert_eq!((0..10).map(of_class).collect::<Vec<_>>(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn sets_are_read_by_name() {
        let images = super::super::read("builtin:digits").unwrap();
        assert_eq!((images.values.shape(), images.integer, images.name.as_str()), (&[1797, 64][..], false, "builtin:digits"));
        assert_eq!(images.values.fold(0.0, |a: f64, &b| a.max(b)), 1.0);
        assert!(images.sha256.starts_with("b2dab7b501728c22"));
        let labels = super::super::read("builtin:digits:labels").unwrap();
        assert_eq!((labels.values.shape(), labels.integer), (&[1797][..], true));
        assert!(super::super::read("builtin:digit").unwrap_err().hint().unwrap().contains("builtin:digits"));
    }

    #[test]
    fn models_are_the_published_files() {
        assert!(sha256(builtin_model("digits-vae").unwrap()).starts_with("b63bfdffc9c8066c"));
        assert!(sha256(builtin_model("digits-encoder").unwrap()).starts_with("f499c4ab0d620a39"));
        assert!(builtin_model("other").is_none());
    }
}
