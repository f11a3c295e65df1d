//! NumPy's `.npz`: a zip archive of `.npy` members, stored or deflated.
//!
//! A member is inflated only up to the size that its own `.npy` header states.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::{Fault, Raw, choose, npy};

/// Deflate makes nothing smaller than by this factor; a member that claims more lies.
pub(super) const MOST_INFLATION: u64 = 1032;

/// Enough for the longest `.npy` header that is read.
const HEADER_BYTES: u64 = (1 << 16) + 12;

/// The names of all members.
pub(super) fn keys(bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| Fault::new(format!("not a .npz archive: {e}")))?;
    Ok(archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_string())).collect())
}

/// The member `key`, or the only one.
pub(super) fn parse(bytes: &[u8], key: Option<&str>) -> Result<Raw, Fault> {
    let damaged = |e: zip::result::ZipError| Fault::new(format!("not a .npz archive: {e}"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_string())).collect();
    let name = choose(&names, key)?;

    let inside = |fault: Fault| Fault { what: format!("array {name:?}: {}", fault.what), ..fault };
    let unreadable = |e: &dyn std::fmt::Display| Fault::new(format!("array {name:?} cannot be unpacked: {e}"));
    let mut member = archive.by_name(&format!("{name}.npy")).map_err(|e| unreadable(&e))?;
    let most = member.compressed_size().min(bytes.len() as u64).saturating_mul(MOST_INFLATION);
    let mut content = Vec::new();
    member.by_ref().take(HEADER_BYTES).read_to_end(&mut content).map_err(|e| unreadable(&e))?;
    let (stored, start) = npy::header(&content).map_err(inside)?;
    let total = (stored.bytes().map_err(inside)? as u64).saturating_add(start as u64);
    if total > most {
        let (shape, packed) = (&stored.shape, member.compressed_size());
        return Err(inside(Fault::new(format!("shape {shape:?} takes {total} bytes, which {packed} packed bytes cannot hold"))));
    }
    // One byte more than stated, so that a longer member is noticed.
    let rest = (total + 1).saturating_sub(content.len() as u64);
    member.take(rest).read_to_end(&mut content).map_err(|e| unreadable(&e))?;
    stored.array(&content[start..]).map_err(inside)
}
