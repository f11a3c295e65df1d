//! The maps of a plane as files: numbers, pictures, and what belongs to both.

use serde_json::{Value, json};

use super::{LayerScale, Ranges};
use crate::error::{Error, Result};
use crate::report::atlas::Plane;
use crate::report::json::{SideFile, npy};

/// The file that describes the others.
pub const NAME: &str = "latent-plane.json";

/// `latent-plane.json`, and for each map an array `[rows, columns]` (row j at the j-th value of the second coordinate) and a picture of it
/// (which has its last row on top).
///
/// The JSON has the plane z = origin + s₀ basis₀ + s₁ basis₁ with the `extent` of both coordinates (cells are centred), the `anchors` it
/// goes through, and of each map the numbers `low` and `high` at both ends of its colours.
///
/// # Errors
/// A picture that cannot be encoded.
pub fn files(plane: &Plane) -> Result<Vec<SideFile>> {
    let mut files = Vec::new();
    let mut maps = Vec::new();
    for layer in std::iter::once(&plane.log_volume).chain(plane.maps.iter().flat_map(|maps| &maps.layers)) {
        let Some((low, high)) = layer.range else { continue };
        let file = |ending: &str| format!("latent-plane-{}.{ending}", layer.id);
        let scale = match layer.scale {
            LayerScale::Linear => "linear",
            LayerScale::Logarithmic => "logarithmic",
            LayerScale::Signed => "signed",
        };
        maps.push(json!({
            "id": layer.id, "title": layer.title, "low": low, "high": high, "scale": scale,
            "array": file("npy"), "picture": file("png"),
        }));
        files.push(SideFile { name: file("npy"), bytes: npy(layer.values.shape(), layer.values.iter().copied()) });
        files.push(SideFile { name: file("png"), bytes: layer.picture(|_| true).png()? });
    }
    let known = plane.maps.as_ref().and_then(|maps| maps.known.as_ref()).map(|known| {
        files.push(SideFile {
            name: "latent-plane-known.npy".into(),
            bytes: npy(known.shape(), known.iter().map(|known| f64::from(u8::from(*known)))),
        });
        "latent-plane-known.npy"
    });
    let anchors: Vec<Value> = plane.place.anchors.iter().map(|anchor| json!({ "name": anchor.name, "at": anchor.at })).collect();
    let subspace = &plane.place.subspace;
    let description = json!({
        "axes": plane.axes(),
        "extent": plane.extent,
        "origin": subspace.origin.to_vec(),
        "basis": subspace.basis.outer_iter().map(|b| b.to_vec()).collect::<Vec<_>>(),
        "anchors": anchors,
        "embedding": plane.maps.as_ref().map(|maps| &maps.embedding),
        "known": known,
        "maps": maps,
    });
    files.push(SideFile { name: NAME.into(), bytes: format!("{description:#}\n").into_bytes() });
    Ok(files)
}

/// The ends of the colours in the text of a [`NAME`].
///
/// # Errors
/// Other text.
pub fn ranges_of(text: &str) -> Result<Ranges> {
    let damaged = |what: &str| Error::Input {
        what: format!("ranges of maps: {what}"),
        hint: Some(format!("give the {NAME} that `latlas report` wrote of another model")),
    };
    let read: Value = serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
    let maps = read.get("maps").and_then(Value::as_array).ok_or_else(|| damaged("no list \"maps\""))?;
    let one = |map: &Value| {
        let end = |key: &str| map.get(key)?.as_f64();
        Some((map.get("id")?.as_str()?.to_string(), (end("low")?, end("high")?))).filter(|(_, (low, high))| low < high)
    };
    maps.iter().map(|map| one(map).ok_or_else(|| damaged(&format!("no id, or no low below high, in {map}")))).collect()
}
