//! Operators that write elements by index into a copy of a tensor.

use super::super::call::Call;
use super::super::value::{BatchAxis, Value};
use super::gather::{Positions, positions_along, tuple_positions};
use super::{Entry, masked};
use crate::ops::{Binary, IndexMap};
use crate::{Builder, Kind, NodeId, Result, lower};

/// The operators of this file.
pub const TABLE: &[Entry] = &[
    Entry::new("ScatterND", Some(Kind::Linear), scatter_nd),
    Entry::new("ScatterElements", Some(Kind::Linear), scatter_elements),
    Entry::new("Scatter", Some(Kind::Linear), scatter_elements),
];

/// What becomes of an element that is there already.
#[derive(Debug, Clone, Copy)]
pub enum Reduction {
    /// It is replaced.
    Replace,
    /// The update is added.
    Add,
    /// It is combined with each update in turn.
    Combine(Combination),
}

/// What makes one of two elements.
type Combination = fn(&mut Builder, &[NodeId]) -> Result<NodeId>;

/// The attribute `reduction`.
fn reduction(call: &Call<'_>) -> Result<Reduction> {
    match &*call.string("reduction", "none")? {
        "none" => Ok(Reduction::Replace),
        "add" => Ok(Reduction::Add),
        "mul" => Ok(Reduction::Combine(|b, pair| Ok(b.binary(Binary::Mul, pair[0], pair[1])))),
        "max" => Ok(Reduction::Combine(lower::max_of)),
        "min" => Ok(Reduction::Combine(lower::min_of)),
        other => Err(call.refuse(format!("reduction {other:?} is not known"), None)),
    }
}

fn scatter_elements(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let reduction = reduction(call)?;
    let (data, indices, dtype) = (call.shape(0)?, call.shape(1)?, call.dtype(0)?);
    let axis = call.axis("axis", 0, data.len())?;
    let fits = indices.len() == data.len() && (0..data.len()).all(|i| i == axis || indices[i] <= data[i]);
    if !fits || call.shape(2)? != indices {
        return Err(call.refuse(
            format!("indices {indices:?} and updates {:?} do not fit data of shape {data:?} along axis {axis}", call.shape(2)?),
            None,
        ));
    }
    let batches = [call.beside(0, &[axis])?, call.beside(1, &[axis])?, call.beside(2, &[axis])?];
    let batch = call.join(&batches);
    let (x, updates) = (call.node(0)?, call.node(2)?);
    let positions = positions_along(call, &data, axis, 1)?;
    let y = write(call, x, updates, &positions, reduction)?;
    call.result(y, dtype, batch)
}

fn scatter_nd(call: &mut Call<'_>) -> Result<Vec<Value>> {
    let reduction = reduction(call)?;
    let (data, indices, updates, dtype) = (call.shape(0)?, call.shape(1)?, call.shape(2)?, call.dtype(0)?);
    let Some((&width, listed)) = indices.split_last() else {
        return Err(call.refuse("its indices are a single number".into(), None));
    };
    if width == 0 || width > data.len() || updates != [listed, &data[width..]].concat() {
        return Err(call.refuse(format!("indices {indices:?} and updates {updates:?} do not fit data of shape {data:?}"), None));
    }
    if let Some(mask) = call.input(1)?.mask.clone() {
        return match reduction {
            Reduction::Combine(_) => Err(call.unsupported("it combines elements that a condition chose")),
            _ => masked::write_back(call, &mask, matches!(reduction, Reduction::Add)),
        };
    }
    let indexed: Vec<usize> = (0..width).collect();
    let own = call.beside(0, &indexed)?;
    let listing: Vec<usize> = (0..listed.len()).collect();
    let written = call.beside(2, &listing)?.map(|b| b.moved((b.axis + width).saturating_sub(listed.len())));
    let chosen = call.batch(1)?;
    if chosen.is_some() {
        call.mixes("which elements it writes depends on the sample");
    }
    let batch: Option<BatchAxis> = call.join(&[own, written]);
    let (x, updates) = (call.node(0)?, call.node(2)?);
    let positions = tuple_positions(call, &data, 0, 1)?;
    let y = write(call, x, updates, &positions, reduction)?;
    call.result(y, dtype, batch)
}

/// x with updates written to, or added at, flat positions.
fn write(call: &mut Call<'_>, x: NodeId, updates: NodeId, positions: &Positions, reduction: Reduction) -> Result<NodeId> {
    let shape = call.b.shape(x).to_vec();
    Ok(match (positions, reduction) {
        (Positions::Constant(map), Reduction::Add) => {
            let added = call.b.scatter(updates, map.clone(), &shape);
            call.b.binary(Binary::Add, x, added)
        }
        (Positions::Constant(map), Reduction::Replace) => {
            let (len, count) = (shape.iter().product::<usize>(), map.len());
            let mut sources: Vec<u32> = (0..len as u32).collect();
            // Of several updates to one place the last stays, as in a loop over them.
            for (update, position) in map.sources().into_iter().enumerate() {
                sources[position as usize] = (len + update) as u32;
            }
            let (x, updates) = (call.b.reshape(x, &[len]), call.b.reshape(updates, &[count]));
            let both = call.b.concat(&[x, updates], 0);
            call.b.map(both, IndexMap::table(&shape, sources))
        }
        (Positions::Computed(index), Reduction::Add) => {
            let added = call.b.put(updates, *index, &shape);
            call.b.binary(Binary::Add, x, added)
        }
        (Positions::Computed(index), Reduction::Replace) => {
            let listed = call.b.shape(updates).to_vec();
            let ones = call.b.filled(&listed, 1.0);
            let hit = call.b.put(ones, *index, &shape);
            let written = call.b.put(updates, *index, &shape);
            call.b.select(hit, written, x)
        }
        (Positions::Constant(map), Reduction::Combine(f)) => combine(call.b, x, updates, &map.sources(), f)?,
        (Positions::Computed(_), Reduction::Combine(_)) => {
            return Err(call.unsupported("it combines elements at places that are computed"));
        }
    })
}

/// x where each position in the list was combined with its update, in the order of the list.
fn combine(b: &mut Builder, x: NodeId, updates: NodeId, positions: &[u32], f: Combination) -> Result<NodeId> {
    let shape = b.shape(x).to_vec();
    let len = shape.iter().product::<usize>();
    let (mut y, mut left): (NodeId, Vec<usize>) = (b.reshape(x, &[len]), (0..positions.len()).collect());
    // A round writes to each place once; what comes back to a place waits for the next.
    while !left.is_empty() {
        let mut taken = std::collections::HashSet::new();
        let (round, later): (Vec<usize>, Vec<usize>) = left.into_iter().partition(|&i| taken.insert(positions[i]));
        let places: Vec<u32> = round.iter().map(|&i| positions[i]).collect();
        let there = b.map(y, IndexMap::table(&[round.len()], places.clone()));
        let new = b.map(updates, IndexMap::table(&[round.len()], round.iter().map(|&i| i as u32).collect()));
        let combined = f(b, &[there, new])?;
        let mut sources: Vec<u32> = (0..len as u32).collect();
        places.iter().enumerate().for_each(|(i, &place)| sources[place as usize] = (len + i) as u32);
        let both = b.concat(&[y, combined], 0);
        y = b.map(both, IndexMap::table(&[len], sources));
        left = later;
    }
    Ok(b.reshape(y, &shape))
}
