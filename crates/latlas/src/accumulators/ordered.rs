//! Merging in an order that depends on chunk numbers only: sums come out the same to the bit, whichever thread or shard
//! finished first.

use std::collections::BTreeMap;

/// What merges with its right neighbour.
pub trait Merge {
    /// Takes in what comes directly after.
    fn merge(&mut self, later: &Self);
}

/// A binary tree over chunk numbers. Node (level, i) covers the chunks i·2^level … (i+1)·2^level − 1; two siblings merge
/// as soon as both are there. What is left in the end is folded left to right.
#[derive(Debug, Clone)]
pub struct Ordered<S>(BTreeMap<(u8, u64), S>);

impl<S> Default for Ordered<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Merge> Ordered<S> {
    /// Adds the state of one chunk; chunks may come in any order, each once.
    pub fn insert(&mut self, chunk: u64, state: S) {
        self.insert_node((0, chunk), state);
    }

    /// Adds all that another tree over other chunks holds.
    pub fn absorb(&mut self, other: Self) {
        other.0.into_iter().for_each(|(node, state)| self.insert_node(node, state));
    }

    /// Everything, merged left to right; `None` without any chunk.
    pub fn fold(self) -> Option<S> {
        let mut rest: Vec<_> = self.0.into_iter().collect();
        rest.sort_by_key(|((level, index), _)| u128::from(*index) << level);
        rest.into_iter().map(|(_, state)| state).reduce(|mut left, right| {
            left.merge(&right);
            left
        })
    }

    /// The nodes that are waiting for a sibling.
    pub fn nodes(&self) -> impl Iterator<Item = ((u8, u64), &S)> {
        self.0.iter().map(|(node, state)| (*node, state))
    }

    /// Adds a node that was saved.
    pub fn insert_node(&mut self, node: (u8, u64), state: S) {
        let ((mut level, mut index), mut state) = (node, state);
        while let Some(sibling) = self.0.remove(&(level, index ^ 1)) {
            let (mut left, right) = if index & 1 == 0 { (state, sibling) } else { (sibling, state) };
            left.merge(&right);
            (level, index, state) = (level + 1, index >> 1, left);
        }
        self.0.insert((level, index), state);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Text(String);

    impl Merge for Text {
        fn merge(&mut self, later: &Self) {
            self.0 = format!("({}{})", self.0, later.0);
        }
    }

    #[test]
    fn the_tree_depends_on_the_chunks_only() {
        let leaf = |i: u64| Text(format!("{i} "));
        for orders in [vec![0, 1, 2, 3, 4, 5, 6], vec![6, 2, 0, 5, 3, 1, 4], vec![3, 4, 5, 6, 0, 1, 2]] {
            let mut tree = Ordered::default();
            for i in orders {
                tree.insert(i, leaf(i));
            }
            assert_eq!(tree.fold().unwrap().0, "((((0 1 )(2 3 ))(4 5 ))6 )");
        }
    }

    #[test]
    fn shards_make_the_same_tree() {
        let tree = |range: std::ops::Range<u64>| {
            let mut tree = Ordered::default();
            range.for_each(|i| tree.insert(i, Text(format!("{i} "))));
            tree
        };
        let whole = tree(0..11).fold().unwrap();
        let mut parts = tree(7..11);
        parts.absorb(tree(0..3));
        parts.absorb(tree(3..7));
        assert_eq!(parts.fold().unwrap(), whole);
    }
}
