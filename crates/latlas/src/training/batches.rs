//! Which rows make up each batch: keyed by seed and epoch, so that any step can be found again.

use crate::random::{Purpose, by_key, hash};

/// The batches of a training set.
#[derive(Debug, Clone, PartialEq)]
pub struct Batches {
    seed: u64,
    size: usize,
    /// Rows of each class; one class if batches need not be balanced.
    classes: Vec<Vec<usize>>,
    rows: usize,
    /// The order of one epoch.
    now: Option<(u64, Vec<usize>)>,
}

impl Batches {
    /// Batches of `size` of these rows; balanced over `labels` if there are any.
    pub fn new(seed: u64, size: usize, rows: &[usize], labels: Option<&[usize]>) -> Self {
        let mut classes = vec![vec![]; labels.map_or(1, |labels| rows.iter().map(|&r| labels[r] + 1).max().unwrap_or(1))];
        for &row in rows {
            classes[labels.map_or(0, |labels| labels[row])].push(row);
        }
        classes.retain(|class| !class.is_empty());
        Self { seed, size, classes, rows: rows.len(), now: None }
    }

    /// All rows, class by class.
    pub fn all_rows(&self) -> impl Iterator<Item = usize> {
        self.classes.iter().flatten().copied()
    }

    /// Whole batches in an epoch.
    pub fn per_epoch(&self) -> u64 {
        (self.rows / self.size) as u64
    }

    /// The rows of the batch of a step, counted from 0.
    pub fn rows_at(&mut self, step: u64) -> &[usize] {
        let per_epoch = self.per_epoch().max(1);
        let (epoch, at) = (step / per_epoch, (step % per_epoch) as usize);
        if self.now.as_ref().is_none_or(|now| now.0 != epoch) {
            self.now = Some((epoch, self.order(epoch)));
        }
        let order = self.now.as_ref().map_or(&[][..], |now| &now.1);
        &order[at * self.size..(at + 1) * self.size]
    }

    /// All rows in the order of an epoch. With classes, these take turns; a small class begins again.
    fn order(&self, epoch: u64) -> Vec<usize> {
        let shuffled = |class: &Vec<usize>, round: u64| {
            let seed = hash(self.seed, Purpose::EpochOrder, epoch);
            by_key(class.iter().copied(), |row| hash(seed, Purpose::EpochOrder, (round << 40) + row as u64))
        };
        let mut rounds: Vec<u64> = vec![0; self.classes.len()];
        let mut decks: Vec<Vec<usize>> = self.classes.iter().map(|class| shuffled(class, 0)).collect();
        let mut order = Vec::with_capacity(self.rows);
        for i in 0..self.rows {
            let class = i % decks.len();
            if decks[class].is_empty() {
                rounds[class] += 1;
                decks[class] = shuffled(&self.classes[class], rounds[class]);
            }
            order.extend(decks[class].pop());
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_takes_every_row_once_in_a_new_order() {
        let rows: Vec<usize> = (5..105).collect();
        let mut batches = Batches::new(3, 10, &rows, None);
        assert_eq!(batches.per_epoch(), 10);
        let mut epoch = |from: u64| (from..from + 10).flat_map(|step| batches.rows_at(step).to_vec()).collect::<Vec<_>>();
        let (first, second) = (epoch(0), epoch(10));
        assert_ne!(first, second);
        for mut order in [first.clone(), second] {
            order.sort_unstable();
            assert_eq!(order, rows);
        }
        // A step is found again without those before it.
        assert_eq!(Batches::new(3, 10, &rows, None).rows_at(7), &first[70..80]);
    }

    #[test]
    fn balanced_batches_hold_every_class_alike() {
        let labels: Vec<usize> = (0..100).map(|i| usize::from(i % 10 == 0)).collect();
        let rows: Vec<usize> = (0..100).collect();
        let mut batches = Batches::new(0, 20, &rows, Some(&labels));
        for step in 0..5 {
            assert_eq!(batches.rows_at(step).iter().filter(|&&row| labels[row] == 1).count(), 10);
        }
    }
}
