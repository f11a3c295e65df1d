//! What is odd of a set, and what is left out for it.

use std::sync::Arc;

use ndarray::Axis;

use super::{BINS, CodeSet, Kind, Part, Spread, moments};
use crate::caveat::Caveat;

/// A code whose standard deviation is below this is collapsed …
const SMALLEST_DEVIATION: f64 = 0.05;
/// … and so is one whose range is smaller than the widest by more than this factor.
const NARROWEST: f64 = 20.0;

impl CodeSet {
    /// Notes what is odd of codes and factors, and leaves out what does not vary where the preset says so.
    pub(super) fn looked_at(mut self) -> Self {
        let mut caveats = Vec::new();
        let spreads: Vec<Spread> = (0..self.n_codes()).map(|l| Spread::of(&self.train.code(l))).collect();
        let named = |what: &str, of: &[usize]| format!("{what} {}", crate::index_sets::said(of));
        let constant: Vec<usize> = (0..spreads.len()).filter(|l| !spreads[*l].varies()).collect();
        let fixed: Vec<usize> = (0..self.n_factors()).filter(|k| !self.train.factors[*k].varies()).collect();
        let widest = spreads.iter().map(Spread::range).fold(0.0, f64::max);
        let is_collapsed = |s: &Spread| s.varies() && (s.deviation < SMALLEST_DEVIATION || s.range() * NARROWEST <= widest);
        let collapsed: Vec<usize> = (0..spreads.len()).filter(|l| is_collapsed(&spreads[*l])).collect();
        let left_out = if self.is_study() { "" } else { ", left out" };
        if !constant.is_empty() {
            caveats.push(Caveat::new("constant-code", format!("{}{left_out}", named("codes", &constant))));
        }
        if !fixed.is_empty() {
            caveats.push(Caveat::new("constant-factor", format!("{}{left_out}", named("factors", &fixed))));
        }
        if !collapsed.is_empty() {
            caveats.push(Caveat::new("collapsed-code", named("codes", &collapsed)));
        }
        let repeated = moments::repeated(&self.train.codes, &spreads);
        if !repeated.is_empty() {
            let pairs: Vec<String> = repeated.iter().take(10).map(|(a, b)| format!("{a} and {b}")).collect();
            caveats.push(Caveat::new("duplicate-codes", format!("codes {}", pairs.join(", "))));
        }
        if !self.is_study() {
            let keep = |n: usize, out: &[usize]| (0..n).filter(|i| !out.contains(i)).collect::<Vec<_>>();
            let (codes, factors) = (keep(self.n_codes(), &constant), keep(self.n_factors(), &fixed));
            self = self.restricted(&codes, &factors);
        }
        let place = |l: &usize| self.code_ids.iter().position(|id| id == l);
        self.repeated = repeated.iter().filter_map(|(a, b)| Some((place(a)?, place(b)?))).collect();
        if self.n_codes() == 1 {
            caveats.push(Caveat::new("single-code", "one code: there is no second best"));
        }
        if self.n_factors() == 1 {
            caveats.push(Caveat::new("single-factor", "one factor: nothing to be told apart from"));
        }
        let continuous: Vec<usize> =
            (0..self.n_factors()).filter(|k| self.train.factors[*k].kind == Kind::Continuous).map(|k| self.factor_ids[k]).collect();
        if !continuous.is_empty() {
            caveats.push(Caveat::new("binned-factor", format!("{} in {BINS} equal bins", named("factors", &continuous))));
        }
        self.caveats = caveats;
        self
    }

    /// Some of the codes and factors.
    fn restricted(mut self, codes: &[usize], factors: &[usize]) -> Self {
        if codes.len() < self.n_codes() || factors.len() < self.n_factors() {
            let pick = |part: &Part| Part {
                codes: Arc::new(part.codes.select(Axis(1), codes)),
                factors: Arc::new(factors.iter().map(|k| part.factors[*k].clone()).collect()),
            };
            (self.train, self.test) = (pick(&self.train), pick(&self.test));
            self.grid = self.grid.map(|grid| grid.restricted(codes, factors));
            self.code_ids = codes.iter().map(|l| self.code_ids[*l]).collect();
            self.factor_ids = factors.iter().map(|k| self.factor_ids[*k]).collect();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use crate::codes::tests::set;
    use crate::settings::Preset;

    #[test]
    fn what_does_not_vary_is_left_out_or_kept() {
        let codes = Array2::from_shape_fn((40, 3), |(i, l)| if l == 1 { 4.0 } else { (i % (l + 2)) as f64 });
        let factors = Array2::from_shape_fn((40, 2), |(i, k)| if k == 0 { 1.0 } else { (i % 2) as f64 });
        let latlas = set(codes.clone(), factors.clone(), Preset::Latlas);
        assert_eq!((latlas.code_ids.clone(), latlas.factor_ids.clone()), (vec![0, 2], vec![1]));
        let ids: Vec<&str> = latlas.caveats.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["constant-code", "constant-factor", "single-factor"]);
        let study = set(codes, factors, Preset::Study2019);
        assert_eq!((study.n_codes(), study.n_factors()), (3, 2));
    }
}
