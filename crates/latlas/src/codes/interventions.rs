//! Batches in which one factor is held fixed: from the codes of a whole grid, or from rows that happen to share a value.

use std::sync::Arc;

use ndarray::Array2;

use super::{CodeSet, Given, MISSING, Matrix, Spread, TableGiven, shape};
use crate::error::Result;
use crate::random::{Purpose, Stream, hash};

/// Training and test rows that are drawn of a grid.
const DRAWN: [usize; 2] = [10_000, 5_000];
/// The largest grid, in codes.
const MOST: usize = 1 << 28;

/// Codes of every combination of factors once, the last factor fastest.
#[derive(Debug, Clone)]
pub struct Grid {
    sizes: Vec<usize>,
    codes: Arc<Array2<f64>>,
    /// Places of the codes and factors that are in use.
    code_places: Vec<usize>,
    factor_places: Vec<usize>,
    /// Shuffles codes among combinations.
    shuffle: Option<u64>,
    /// Turns codes after scaling them.
    turn: Option<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    means: Vec<f64>,
    scales: Vec<f64>,
    matrix: Array2<f64>,
}

impl Grid {
    /// From what was given; codes have `l` columns.
    ///
    /// # Errors
    /// Sizes whose product is not the number of rows, codes of another width, a grid that is too large.
    pub fn new(given: &TableGiven, l: usize) -> Result<Self> {
        let codes = given.codes.array();
        let combinations = given.sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        if combinations != Some(codes.nrows()) || codes.ncols() != l || codes.nrows() == 0 {
            return Err(shape(
                format!(
                    "the table of codes has {} rows of {}, expected {:?} combinations of {l} codes",
                    codes.nrows(),
                    codes.ncols(),
                    given.sizes
                ),
                "its shape is [v1, …, vK, L], a row for every combination of factors",
            ));
        }
        if codes.len() > MOST {
            return Err(shape(format!("the table holds {} codes, more than {MOST}", codes.len()), "leave factors out"));
        }
        if codes.iter().any(|z| !z.is_finite()) {
            return Err(shape("the table of codes holds values that are not finite".into(), "every combination needs a code"));
        }
        Ok(Self {
            code_places: (0..l).collect(),
            factor_places: (0..given.sizes.len()).collect(),
            sizes: given.sizes.clone(),
            codes: Arc::new(codes),
            shuffle: None,
            turn: None,
        })
    }

    /// How many values each factor has.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Combinations.
    pub fn len(&self) -> usize {
        self.codes.nrows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn stride(&self, place: usize) -> usize {
        self.sizes[place + 1..].iter().product()
    }

    /// The value of the k-th factor in use at a combination.
    pub fn value(&self, row: usize, k: usize) -> usize {
        let place = self.factor_places[k];
        row / self.stride(place) % self.sizes[place]
    }

    /// The combination with the value of another one in factor k.
    fn with_value_of(&self, row: usize, k: usize, other: usize) -> usize {
        let stride = self.stride(self.factor_places[k]);
        row + self.value(other, k) * stride - self.value(row, k) * stride
    }

    fn code(&self, row: usize, out: &mut [f64]) {
        let row = self.shuffle.map_or(row, |key| (hash(key, Purpose::Shuffle, row as u64) % self.len() as u64) as usize);
        let codes = self.codes.row(row);
        let Some(turn) = &self.turn else {
            out.iter_mut().zip(&self.code_places).for_each(|(z, place)| *z = codes[*place]);
            return;
        };
        out.fill(0.0);
        for (l, place) in self.code_places.iter().enumerate() {
            let z = (codes[*place] - turn.means[l]) * turn.scales[l];
            out.iter_mut().zip(turn.matrix.column(l)).for_each(|(out, u)| *out += u * z);
        }
    }

    /// Some of its codes and factors.
    pub(super) fn restricted(mut self, codes: &[usize], factors: &[usize]) -> Self {
        self.code_places = codes.iter().map(|l| self.code_places[*l]).collect();
        self.factor_places = factors.iter().filter_map(|k| self.factor_places.get(*k)).copied().collect();
        self
    }

    pub(super) fn shuffled(&self, key: u64) -> Self {
        Self { shuffle: Some(key), ..self.clone() }
    }

    /// Codes scaled by the moments of some rows, then turned.
    pub(super) fn turned(&self, matrix: &Array2<f64>, by: &Array2<f64>) -> Self {
        let spreads: Vec<Spread> = by.columns().into_iter().map(|c| Spread::of(&c.to_vec())).collect();
        let scales = spreads.iter().map(|s| if s.deviation > 0.0 { s.deviation.recip() } else { 0.0 }).collect();
        let turn = Turn { means: spreads.iter().map(|s| s.mean).collect(), scales, matrix: matrix.clone() };
        Self { turn: Some(Arc::new(turn)), ..self.clone() }
    }
}

impl Given {
    /// Where only a table was given: rows to learn from and rows to test with, drawn from it, each factor uniform.
    pub fn drawn(mut self, seed: u64) -> Result<Self> {
        let Some(table) = self.table.as_ref() else { return Ok(self) };
        let codes = table.codes.array();
        let grid = Grid::new(table, codes.ncols())?;
        let [train, test] = [0, 1].map(|side: usize| {
            let mut stream = Stream::new(seed, Purpose::Rows, (1 << 41) + side as u64, 1 << 24);
            let rows: Vec<usize> = (0..DRAWN[side]).map(|_| stream.below(grid.len())).collect();
            let factors = Array2::from_shape_fn((rows.len(), grid.sizes.len()), |(i, k)| grid.value(rows[i], k) as f64);
            (Matrix::from(&codes.select(ndarray::Axis(0), &rows)), Some(Matrix::from(&factors)))
        });
        (self.codes, self.factors) = train;
        let (codes, factors) = test;
        (self.test_codes, self.test_factors) = (Some(codes), factors);
        if self.kinds.is_empty() {
            // Indices of a grid are classes, however many there are.
            self.kinds = vec![Some(super::Kind::Ordinal); grid.sizes.len()];
        }
        Ok(self)
    }
}

/// Where rows with a fixed factor come from.
pub struct Interventions<'a> {
    set: &'a CodeSet,
    grid: Option<&'a Grid>,
    /// Rows of each value of each factor, and the value of each row, where there is no grid.
    groups: Vec<Vec<Vec<u32>>>,
}

impl<'a> Interventions<'a> {
    /// From the grid of a set, or from its training rows.
    pub fn of(set: &'a CodeSet) -> Self {
        let grid = set.grid.as_ref();
        let groups = |k: usize| {
            let factor = &set.train.factors[k];
            let mut groups = vec![Vec::new(); factor.classes];
            for (i, label) in factor.index.iter().enumerate().filter(|(_, label)| **label != MISSING) {
                groups[*label as usize].push(i as u32);
            }
            groups
        };
        let groups = if grid.is_some() { Vec::new() } else { (0..set.n_factors()).map(groups).collect() };
        Self { set, grid, groups }
    }

    /// Whether every combination is there.
    pub fn is_full(&self) -> bool {
        self.grid.is_some()
    }

    /// Rows that may be drawn.
    pub fn rows(&self) -> usize {
        self.grid.map_or(self.set.train.rows(), Grid::len)
    }

    /// A row, with a value of factor k.
    pub fn draw(&self, k: usize, stream: &mut Stream) -> usize {
        loop {
            let row = stream.below(self.rows());
            if self.value(row, k).is_some() || !self.set.train.factors[k].varies() {
                return row;
            }
        }
    }

    /// Another row with the same value of factor k.
    pub fn draw_sharing(&self, k: usize, row: usize, stream: &mut Stream) -> usize {
        match (self.grid, self.value(row, k)) {
            (Some(grid), _) => grid.with_value_of(stream.below(grid.len()), k, row),
            (None, Some(value)) => {
                let group = &self.groups[k][value];
                group[stream.below(group.len())] as usize
            }
            (None, None) => stream.below(self.rows()),
        }
    }

    /// The code of a row.
    pub fn code(&self, row: usize, out: &mut [f64]) {
        match self.grid {
            Some(grid) => grid.code(row, out),
            None => out.iter_mut().zip(self.set.train.codes.row(row)).for_each(|(out, z)| *out = *z),
        }
    }

    /// The value of factor k in a row.
    pub fn value(&self, row: usize, k: usize) -> Option<usize> {
        match self.grid {
            Some(grid) => Some(grid.value(row, k)),
            None => Some(self.set.train.factors[k].index[row]).filter(|y| *y != MISSING).map(|y| y as usize),
        }
    }

    /// How many values factor k has.
    pub fn values(&self, k: usize) -> usize {
        self.grid.map_or_else(|| self.set.train.factors[k].classes, |grid| grid.sizes[grid.factor_places[k]])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::codes::CodeSet;
    use crate::settings::Settings;

    #[test]
    fn a_table_alone_gives_rows() {
        let codes = Array2::from_shape_fn((6, 2), |(i, l)| if l == 0 { (i / 3) as f64 } else { (i % 3) as f64 });
        let given = Given { table: Some(TableGiven { sizes: vec![2, 3], codes: Matrix::from(&codes) }), ..Given::default() };
        let given = given.drawn(0).unwrap();
        let set = CodeSet::new(&given, &Settings::default()).unwrap();
        assert_eq!((set.train.rows(), set.test.rows(), set.n_factors()), (10_000, 5_000, 2));
        assert!((0..100).all(|i| set.train.codes[[i, 1]] == set.train.factors[1].raw[i]));
        let interventions = Interventions::of(&set);
        let mut stream = Stream::new(0, Purpose::Interventions, 0, 1 << 20);
        for k in [0, 1].repeat(50) {
            let row = interventions.draw(k, &mut stream);
            let other = interventions.draw_sharing(k, row, &mut stream);
            assert_eq!(interventions.value(row, k), interventions.value(other, k));
        }
        let wrong = TableGiven { sizes: vec![2, 2], codes: Matrix::from(&codes) };
        assert!(Grid::new(&wrong, 2).is_err());
    }
}
