//! Arrays out: `.npy`, whole or chunk by chunk, and `.npz`.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use ndarray::{ArrayRef, ArrayViewD, Dimension};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::{Error, Result};

/// Writes a file that is there whole or not at all, whenever the program is killed.
///
/// # Errors
/// [`Error::Io`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    });
    written.map_err(|source| Error::Io { action: "write", path: path.into(), source })
}

/// Type of the elements of a written array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Float {
    /// 4 bytes; values are rounded to the nearest.
    F32,
    /// 8 bytes.
    F64,
}

impl Float {
    /// As NumPy names it.
    fn descriptor(self) -> String {
        format!("<f{}", self.size())
    }

    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn write(self, out: &mut impl Write, values: impl Iterator<Item = f64>) -> std::io::Result<()> {
        for value in values {
            match self {
                Self::F32 => out.write_all(&(value as f32).to_le_bytes())?,
                Self::F64 => out.write_all(&value.to_le_bytes())?,
            }
        }
        Ok(())
    }
}

/// A `.npy` header of version 1, padded so that the elements begin at a multiple of 64 bytes.
fn header(shape: &[usize], descriptor: &str) -> Vec<u8> {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let axes = axes.join(", ") + if shape.len() == 1 { "," } else { "" };
    let mut text = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': ({axes}), }}");
    let unpadded = 10 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Writes a `.npy` file chunk by chunk, so that an array need not fit into memory.
#[derive(Debug)]
pub struct NpyWriter {
    path: PathBuf,
    out: BufWriter<File>,
    float: Float,
    missing: usize,
}

impl NpyWriter {
    /// Begins a file for an array of this shape.
    ///
    /// # Errors
    /// [`Error::Shape`] when the shape is too large for a file, [`Error::Io`] when the file cannot be created.
    pub fn create(path: impl Into<PathBuf>, shape: &[usize], float: Float) -> Result<Self> {
        let path = path.into();
        let count = shape.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis)).filter(|_| shape.len() <= 32);
        let missing = count.ok_or_else(|| Error::Shape { what: format!("an array of shape {shape:?} is too large"), hint: None })?;
        let fault = |source| Error::Io { action: "create", path: path.clone(), source };
        let mut out = BufWriter::new(File::create(&path).map_err(fault)?);
        out.write_all(&header(shape, &float.descriptor())).map_err(fault)?;
        Ok(Self { path, out, float, missing })
    }

    /// Appends values, in row-major order of the whole array.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are more than the shape holds, [`Error::Io`] when they cannot be written.
    pub fn write<'a>(&mut self, values: impl ExactSizeIterator<Item = &'a f64>) -> Result<()> {
        let more = values.len();
        self.missing = self.missing.checked_sub(more).ok_or_else(|| Error::Shape {
            what: format!("{}: {more} values more where the shape holds {}", self.path.display(), self.missing),
            hint: None,
        })?;
        let written = self.float.write(&mut self.out, values.copied());
        written.map_err(|source| Error::Io { action: "write", path: self.path.clone(), source })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Shape`] when values are missing, [`Error::Io`] when the last ones cannot be written.
    pub fn finish(mut self) -> Result<()> {
        if self.missing > 0 {
            return Err(Error::Shape { what: format!("{}: {} values are missing", self.path.display(), self.missing), hint: None });
        }
        self.out.flush().map_err(|source| Error::Io { action: "write", path: self.path.clone(), source })
    }
}

/// Writes one array.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn write_npy<D: Dimension>(path: impl Into<PathBuf>, values: &ArrayRef<f64, D>, float: Float) -> Result<()> {
    let mut writer = NpyWriter::create(path, values.shape(), float)?;
    writer.write(values.iter())?;
    writer.finish()
}

/// Writes several arrays and lists of words by name into an uncompressed archive; the same ones give the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, or a name stands twice.
pub fn write_npz(path: impl AsRef<Path>, arrays: &[(&str, ArrayViewD<'_, f64>)], words: &[(&str, Vec<&str>)], float: Float) -> Result<()> {
    let path = path.as_ref();
    let file = File::create(path).map_err(|source| Error::Io { action: "create", path: path.into(), source })?;
    archive(BufWriter::new(file), arrays, words, float).map_err(|source| Error::Io { action: "write", path: path.into(), source })
}

fn archive(
    out: impl Write + Seek,
    arrays: &[(&str, ArrayViewD<'_, f64>)],
    words: &[(&str, Vec<&str>)],
    float: Float,
) -> std::io::Result<()> {
    let mut archive = ZipWriter::new(out);
    for (name, values) in arrays {
        let mut member = begin(&mut archive, name, values.shape(), &float.descriptor(), values.len().saturating_mul(float.size()))?;
        float.write(&mut member, values.iter().copied())?;
        member.flush()?;
    }
    for (name, words) in words {
        // NumPy's text: four bytes a character, all words as long as the longest.
        let longest = words.iter().map(|word| word.chars().count()).max().unwrap_or(0).max(1);
        let mut member = begin(&mut archive, name, &[words.len()], &format!("<U{longest}"), words.len() * 4 * longest)?;
        for word in words {
            let padded = word.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
            padded.into_iter().try_for_each(|c| member.write_all(&c.to_le_bytes()))?;
        }
        member.flush()?;
    }
    archive.finish()?.flush()
}

/// A member of an archive, after its header.
fn begin<'a, W: Write + Seek>(
    archive: &'a mut ZipWriter<W>,
    name: &str,
    shape: &[usize],
    descriptor: &str,
    bytes: usize,
) -> std::io::Result<BufWriter<&'a mut ZipWriter<W>>> {
    let is_large = bytes > (u32::MAX / 2) as usize;
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(is_large);
    archive.start_file(format!("{name}.npy"), options)?;
    let mut member = BufWriter::new(archive);
    member.write_all(&header(shape, descriptor))?;
    Ok(member)
}
