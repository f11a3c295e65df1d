//! Nests of strided loops over N arrays at once: the one idea behind copies, sums, broadcasts and contractions.

/// Loops, outermost first, each with a size and a step for each of N arrays.
///
/// Loops of size one are dropped and neighbours that run on into each other are merged, so every loop left has at least two
/// steps and the depth stays below the logarithm of the number of elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nest<const N: usize> {
    loops: Vec<(usize, [isize; N])>,
}

impl<const N: usize> Nest<N> {
    /// The nest of these loops.
    pub fn new(loops: impl IntoIterator<Item = (usize, [isize; N])>) -> Self {
        let mut merged: Vec<(usize, [isize; N])> = Vec::new();
        let mut empty = false;
        for (size, steps) in loops {
            empty |= size == 0;
            match merged.last_mut() {
                _ if size == 1 => {}
                Some((outer, before)) if (0..N).all(|i| before[i] == steps[i] * size as isize) => {
                    *outer *= size;
                    *before = steps;
                }
                _ => merged.push((size, steps)),
            }
        }
        if empty {
            merged = vec![(0, [0; N])];
        }
        Self { loops: merged }
    }

    /// The loops, outermost first.
    pub fn loops(&self) -> &[(usize, [isize; N])] {
        &self.loops
    }

    /// The number of steps of all loops together.
    pub fn len(&self) -> usize {
        self.loops.iter().map(|l| l.0).product()
    }

    /// The innermost loop; one step if there is none.
    pub fn inner(&self) -> (usize, [isize; N]) {
        self.loops.last().copied().unwrap_or((1, [0; N]))
    }

    /// Calls `run` with the positions at which the innermost loop starts, for every step of the others.
    pub fn each_run(&self, start: [isize; N], mut run: impl FnMut([isize; N])) {
        if self.len() > 0 {
            walk(&self.loops[..self.loops.len().saturating_sub(1)], start, &mut run);
        }
    }

    /// Calls `step` with the positions of every step.
    pub fn each(&self, start: [isize; N], mut step: impl FnMut([isize; N])) {
        walk(&self.loops, start, &mut step);
    }
}

fn walk<const N: usize>(loops: &[(usize, [isize; N])], mut at: [isize; N], run: &mut impl FnMut([isize; N])) {
    let [(size, steps), rest @ ..] = loops else { return run(at) };
    for _ in 0..*size {
        walk(rest, at, run);
        (0..N).for_each(|i| at[i] += steps[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_merge_and_ones_vanish() {
        let nest = Nest::new([(2, [12, 0]), (1, [7, 7]), (3, [4, 4]), (4, [1, 1])]);
        assert_eq!(nest.loops(), [(2, [12, 0]), (12, [1, 1])]);
        let mut starts = vec![];
        nest.each_run([0, 5], |at| starts.push(at));
        assert_eq!(starts, [[0, 5], [12, 5]]);
    }

    #[test]
    fn an_empty_loop_empties_the_nest() {
        let nest = Nest::new([(3, [1]), (0, [1])]);
        nest.each([0], |_| unreachable!());
        nest.each_run([0], |_| unreachable!());
        let mut steps = 0;
        Nest::<1>::new([]).each([0], |_| steps += 1);
        assert_eq!(steps, 1, "no loop at all is one step");
    }
}
