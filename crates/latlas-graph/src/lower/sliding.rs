//! The geometry of windows that slide over spatial axes, which convolutions and pools share.

use super::mismatch;
use super::rules::index_map;
use crate::Result;
use crate::ops::{IndexMap, contiguous};

/// Windows of `kernel` taps along each spatial axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sliding {
    /// Taps along each axis.
    pub kernel: Vec<usize>,
    /// Step of the window.
    pub strides: Vec<usize>,
    /// Spacing of the taps.
    pub dilations: Vec<usize>,
    /// Zeros before each axis.
    pub before: Vec<usize>,
    /// Zeros after each axis.
    pub after: Vec<usize>,
    /// Whether a last window may reach beyond the padded end.
    pub ceil: bool,
}

impl Sliding {
    /// Windows side by side: stride 1, no spacing, no padding.
    pub fn unit(kernel: &[usize]) -> Self {
        let n = kernel.len();
        Self { kernel: kernel.to_vec(), strides: vec![1; n], dilations: vec![1; n], before: vec![0; n], after: vec![0; n], ceil: false }
    }

    /// The length that a window spans along an axis.
    pub fn extent(&self, axis: usize) -> usize {
        self.dilations[axis].saturating_mul(self.kernel[axis].saturating_sub(1)).saturating_add(1)
    }

    /// Pads so that the output has ⌈input / stride⌉ places; an odd zero goes to the end, or to the beginning.
    pub fn pad_same(&mut self, input: &[usize], odd_at_end: bool) -> Result<()> {
        self.check(input)?;
        for (i, &n) in input.iter().enumerate() {
            let places = n.div_ceil(self.strides[i]);
            let total = (places.saturating_sub(1) * self.strides[i]).saturating_add(self.extent(i)).saturating_sub(n);
            let (small, large) = (total / 2, total - total / 2);
            (self.before[i], self.after[i]) = if odd_at_end { (small, large) } else { (large, small) };
        }
        Ok(())
    }

    /// How many places the window takes along each axis of an input.
    pub fn output(&self, input: &[usize]) -> Result<Vec<usize>> {
        self.check(input)?;
        let places = |(i, &n): (usize, &usize)| {
            let padded = n.checked_add(self.before[i]).and_then(|n| n.checked_add(self.after[i]));
            let free = padded
                .and_then(|n| n.checked_sub(self.extent(i)))
                .ok_or_else(|| mismatch("window", format!("no longer than the padded input {input:?}"), (&self.kernel, &self.dilations)))?;
            let stride = self.strides[i];
            // A place that starts beyond the input and the zeros before it sees nothing.
            let extra = self.ceil && free % stride != 0 && (free / stride + 1) * stride < n + self.before[i];
            Ok(free / stride + 1 + usize::from(extra))
        };
        input.iter().enumerate().map(places).collect()
    }

    /// The map of shape `[lead.., output.., taps]` over an item of `shape`, whose last axes are the spatial ones: what
    /// each window sees, row-major; zeros where it sees padding.
    pub fn windows(&self, shape: &[usize]) -> Result<IndexMap> {
        let n = self.kernel.len();
        if shape.len() < n {
            return Err(mismatch("item of a sliding window", format!("at least {n} axes"), shape));
        }
        let (lead, input) = shape.split_at(shape.len() - n);
        let output = self.output(input)?;
        let steps = contiguous(shape);
        let whole = [lead, &output, &self.kernel].concat();
        let map = index_map(&whole, |at| {
            let mut source = (0..lead.len()).map(|i| at[i] * steps[i] as usize).sum::<usize>();
            for i in 0..n {
                let (place, tap) = (at[lead.len() + i], at[lead.len() + n + i]);
                let position = (place * self.strides[i] + tap * self.dilations[i]).checked_sub(self.before[i])?;
                source += (position < input[i]).then_some(position)? * steps[lead.len() + i] as usize;
            }
            Some(source)
        })?;
        let taps = self.kernel.iter().product();
        Ok(IndexMap::table(&[lead, &output, &[taps]].concat(), map.sources()))
    }

    /// How many taps of each window lie inside the input and its padding, in row-major order of the output.
    pub fn taps_inside(&self, input: &[usize]) -> Result<Vec<usize>> {
        let output = self.output(input)?;
        let along = |i: usize, place: usize| {
            let room = (input[i] + self.before[i] + self.after[i]).saturating_sub(place * self.strides[i]);
            room.div_ceil(self.dilations[i]).min(self.kernel[i])
        };
        let mut counts = vec![1];
        for (i, &places) in output.iter().enumerate() {
            counts = counts.iter().flat_map(|&c| (0..places).map(move |p| (c, p))).map(|(c, p)| c * along(i, p)).collect();
        }
        Ok(counts)
    }

    fn check(&self, input: &[usize]) -> Result<()> {
        let n = self.kernel.len();
        let lists = [&self.strides, &self.dilations, &self.before, &self.after];
        let positive = self.kernel.iter().chain(&self.strides).chain(&self.dilations).all(|&v| v > 0);
        if input.len() != n || lists.iter().any(|l| l.len() != n) || !positive {
            let expected = format!("positive kernel, strides and dilations for the {} spatial axes {input:?}", input.len());
            return Err(mismatch("sliding window", expected, self));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted() {
        let mut s = Sliding { strides: vec![2], ..Sliding::unit(&[3]) };
        assert_eq!(s.output(&[7]).unwrap(), [3]);
        assert_eq!(s.output(&[8]).unwrap(), [3]);
        s.ceil = true;
        assert_eq!(s.output(&[8]).unwrap(), [4]);
        // The fourth window would start in the zeros after the input.
        let beyond = Sliding { strides: vec![3], before: vec![1], after: vec![1], ceil: true, ..Sliding::unit(&[3]) };
        assert_eq!(beyond.output(&[8]).unwrap(), [3]);
        s = Sliding { dilations: vec![2], ..Sliding::unit(&[3]) };
        assert_eq!(s.output(&[5]).unwrap(), [1]);
        assert!(s.output(&[4]).is_err());
        s.strides = vec![2];
        s.pad_same(&[5], true).unwrap();
        assert_eq!((s.output(&[5]).unwrap(), s.before[0], s.after[0]), (vec![3], 2, 2));
    }

    #[test]
    fn windows_see_padding_as_nothing() {
        let s = Sliding { before: vec![1], ..Sliding::unit(&[2]) };
        let none = IndexMap::NOWHERE;
        assert_eq!(s.windows(&[2, 3]).unwrap().sources(), [none, 0, 0, 1, 1, 2, none, 3, 3, 4, 4, 5]);
        assert_eq!(s.taps_inside(&[3]).unwrap(), [2, 2, 2]);
    }

    #[test]
    fn hostile_sizes_are_refused() {
        let s = Sliding { dilations: vec![usize::MAX], ..Sliding::unit(&[3]) };
        assert!(s.output(&[4]).is_err());
        let s = Sliding { before: vec![usize::MAX], after: vec![usize::MAX], ..Sliding::unit(&[3]) };
        assert!(s.output(&[4]).is_err());
        let s = Sliding { before: vec![1 << 40], ..Sliding::unit(&[3]) };
        assert!(s.windows(&[4]).is_err());
        assert!(Sliding { strides: vec![0], ..Sliding::unit(&[3]) }.output(&[4]).is_err());
    }
}
