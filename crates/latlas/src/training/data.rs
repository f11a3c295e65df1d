//! The rows that a model learns from, and what a batch of them gives to the inputs of a graph.

use super::Objective;
use crate::models::zoo::Feed;
use crate::random::{Purpose, Stream, by_key, hash};

/// The rows that a model learns from.
#[derive(Debug, Clone)]
pub struct Data {
    /// `[n, D]`, row-major.
    pub values: Vec<f32>,
    /// The shape of one row as the model sees it.
    pub shape: Vec<usize>,
    /// Class of each row.
    pub labels: Option<Vec<usize>>,
}

impl Data {
    /// n.
    pub fn rows(&self) -> usize {
        self.values.len() / self.row_len()
    }

    fn row_len(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }

    /// One row, flat.
    pub fn row(&self, row: usize) -> &[f32] {
        let len = self.row_len();
        &self.values[row * len..][..len]
    }
}

/// The arrays that a batch gives to the inputs of an objective.
pub(super) fn fill(objective: &Objective, data: &Data, rows: &[usize], key: u64, given: &mut Vec<Vec<f32>>) {
    let mut at = 0;
    for (input, (feed, one)) in objective.feeds().enumerate() {
        if matches!(feed, Feed::Parameter(_) | Feed::Scheduled(_)) {
            continue;
        }
        if given.len() <= at {
            given.push(vec![]);
        }
        let out = &mut given[at];
        at += 1;
        out.clear();
        match feed {
            Feed::Data => rows.iter().for_each(|&row| out.extend_from_slice(data.row(row))),
            Feed::Labels => {
                for &row in rows {
                    let label = data.labels.as_ref().map_or(0, |labels| labels[row]);
                    out.extend((0..one).map(|class| f32::from(u8::from(class == label))));
                }
            }
            Feed::Zeros => out.resize(rows.len() * one, 0.0),
            Feed::Shuffle => {
                out.resize(rows.len() * one, 0.0);
                for column in 0..one {
                    let order = by_key(0..rows.len(), |i| hash(key, Purpose::Permutation, ((column as u64) << 32) + i as u64));
                    order.iter().enumerate().for_each(|(to, from)| out[to * one + column] = (from * one + column) as f32);
                }
            }
            _ => {
                let mut stream = Stream::new(key, Purpose::TrainingNoise, input as u64, 1 << 32);
                let is_normal = *feed == Feed::Normal;
                out.extend((0..rows.len() * one).map(|_| if is_normal { stream.normal() as f32 } else { stream.uniform() as f32 }));
            }
        }
    }
    given.truncate(at);
}
