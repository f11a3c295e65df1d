//! Splits between all neighbouring values, level by level: one pass over every sorted feature serves all nodes of a level.

use super::tree::{DEPTH, Grown, Leaf, Node, Split, Tree, midway};

/// Values closer than this are not told apart.
const APART: f32 = 1e-7;
/// A row whose node does not split any more.
const DONE: u8 = u8::MAX;

/// What is left of the place where the pass is in a node.
#[derive(Clone, Copy, Default)]
struct Left {
    n: f64,
    sum: f64,
    last: f32,
}

pub fn grow(columns: &[Vec<f32>], sorted: &[Vec<u32>], residuals: &[f64], leaf: Leaf) -> Grown {
    let n = residuals.len();
    let mut tree = Tree::new();
    let mut leaf_of = vec![0_u8; n];
    let mut gains = Vec::new();
    // The node of each row within its level, or DONE.
    let mut place = vec![0_u8; n];
    let mut is_open = vec![true];
    for level in 0..DEPTH {
        let width = 1 << level;
        let first = width - 1;
        let mut nodes = vec![Node::default(); width];
        for (place, r) in place.iter().zip(residuals).filter(|(place, _)| **place != DONE) {
            nodes[usize::from(*place)].push(*r);
        }
        for (open, node) in is_open.iter_mut().zip(&nodes) {
            *open &= node.is_impure();
        }
        if is_open.iter().all(|open| !open) {
            break;
        }
        for (i, place) in place.iter_mut().enumerate().filter(|(_, place)| **place != DONE) {
            if !is_open[usize::from(*place)] {
                leaf_of[i] = (first + usize::from(*place)) as u8;
                *place = DONE;
            }
        }
        let best = search(columns, sorted, residuals, &place, &nodes);
        let mut next_open = vec![false; 2 * width];
        for (k, split) in best.iter().enumerate().filter(|(k, split)| is_open[*k] && split.is_some()) {
            tree.split(first + k, split);
            let node = &nodes[k];
            gains.push((split.feature, (split.score - node.sum * node.sum / node.n) / n as f64));
            (next_open[2 * k], next_open[2 * k + 1]) = (true, true);
        }
        for (i, place) in place.iter_mut().enumerate().filter(|(_, place)| **place != DONE) {
            let k = usize::from(*place);
            if best[k].is_some() {
                let right = f64::from(columns[best[k].feature][i]) > best[k].threshold;
                *place = (2 * k + usize::from(right)) as u8;
                leaf_of[i] = (2 * width - 1 + usize::from(*place)) as u8;
            } else {
                leaf_of[i] = (first + k) as u8;
                *place = DONE;
            }
        }
        is_open = next_open;
    }
    tree.set_leaves(&leaf_of, residuals, leaf);
    Grown { tree, leaf_of, gains }
}

fn search(columns: &[Vec<f32>], sorted: &[Vec<u32>], residuals: &[f64], place: &[u8], nodes: &[Node]) -> Vec<Split> {
    let mut best = vec![Split::NONE; nodes.len()];
    for (feature, (column, order)) in columns.iter().zip(sorted).enumerate() {
        let mut left = vec![Left::default(); nodes.len()];
        for row in order {
            let row = *row as usize;
            let k = place[row];
            if k == DONE {
                continue;
            }
            let k = usize::from(k);
            let (x, left) = (column[row], &mut left[k]);
            if left.n > 0.0 && x > left.last + APART {
                let (n, sum) = (nodes[k].n - left.n, nodes[k].sum - left.sum);
                let score = left.sum * left.sum / left.n + sum * sum / n;
                if score > best[k].score {
                    best[k] = Split { feature, threshold: midway(left.last, x), bin: 0, score };
                }
            }
            left.n += 1.0;
            left.sum += residuals[row];
            left.last = x;
        }
    }
    best
}
