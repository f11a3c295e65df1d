//! Arrays that arrive one behind the other, as another program writes them to standard input.
//!
//! Each is a whole `.npy`; they are joined along their first axis, so that chunks of samples need no file between them:
//!
//! ```text
//! for chunk in chunks:  np.save(sys.stdout.buffer, chunk)
//! ```

use std::io::Read;
use std::path::Path;

use ndarray::{ArrayD, IxDyn};
use sha2::{Digest, Sha256};

use super::{Fault, Table, hexadecimal, npy};
use crate::error::{Error, Result};

/// What standard input is called on the command line.
pub const STANDARD_INPUT: &str = "-";

/// All arrays of a stream as one: `[n₁ + n₂ + …, …]`.
///
/// # Errors
/// A stream that cannot be read, that holds no array, whose last one is truncated, or whose arrays differ in more than
/// their first axis.
pub fn read_stream(mut from: impl Read) -> Result<Table> {
    let place = Path::new("standard input");
    let (mut digest, mut values) = (Sha256::new(), Vec::new());
    let (mut shape, mut integer): (Option<Vec<usize>>, bool) = (None, true);
    let mut take = |bytes: &mut Vec<u8>, count: usize| -> Result<usize> {
        let begin = bytes.len();
        let read = from.by_ref().take(count as u64).read_to_end(bytes);
        let got = read.map_err(|source| Error::Io { action: "read", path: place.into(), source })?;
        digest.update(&bytes[begin..]);
        Ok(got)
    };
    for number in 1.. {
        let fault = |fault: Fault| Fault::new(format!("array {number}: {}", fault.what)).at(place);
        let mut bytes = Vec::new();
        match take(&mut bytes, npy::PREFIX)? {
            0 if number > 1 => break,
            0 => return Err(Fault::new("no array arrived").hint("write some with np.save(sys.stdout.buffer, x)").at(place)),
            _ => {}
        }
        let rest = npy::header_length(&bytes).map_err(fault)?;
        take(&mut bytes, rest)?;
        let (stored, start) = npy::header(&bytes).map_err(fault)?;
        take(&mut bytes, stored.bytes().map_err(fault)?)?;
        let array = stored.array(&bytes[start..]).map_err(fault)?;
        let own = array.values.shape();
        match &mut shape {
            Some(all) if all.len() == own.len() && !own.is_empty() && all[1..] == own[1..] => all[0] += own[0],
            Some(all) => {
                let what = format!("array {number} has the shape {own:?}, those before it together {all:?}");
                return Err(Fault::new(what).hint("all but the first axis must be the same").at(place));
            }
            None => shape = Some(own.to_vec()),
        }
        integer &= array.integer;
        values.extend(array.values);
    }
    let shape = IxDyn(&shape.unwrap_or_default());
    let values = ArrayD::from_shape_vec(shape, values).map_err(|e| Fault::new(e.to_string()).at(place))?;
    Ok(Table { name: STANDARD_INPUT.into(), sha256: hexadecimal(&digest.finalize()), values, integer })
}
