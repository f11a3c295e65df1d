//! The geometry of a face in gather form: what each output position reads, tap by tap.
//!
//! Along one axis a convolution reads position stride · p + dilation · k − pad for tap k. Its adjoint for the data writes
//! there; read backwards, output position o = r + stride · q has just those taps whose shift (r + pad − dilation · k) / stride
//! is whole, and reads position q + shift. So the outputs fall into classes by their residue r, each of which is a convolution
//! with stride one: nothing is spread out with zeros, and nothing is added where it was written before.

use crate::ops::{Convolution, Face, contiguous};

pub use super::super::product::NOWHERE;

/// One class of outputs along one axis: output `first + step · q` reads `pace · q + shift` for each tap.
#[derive(Debug, Clone)]
struct Line {
    first: usize,
    step: usize,
    count: usize,
    pace: usize,
    /// Positions of the side that is read.
    input: usize,
    /// Kernel position and shift.
    taps: Vec<(usize, isize)>,
}

impl Line {
    /// The position that a tap reads, if it lies inside.
    fn source(&self, q: usize, tap: usize) -> Option<usize> {
        let at = (self.pace * q) as isize + self.taps[tap].1;
        (at >= 0 && (at as usize) < self.input).then_some(at as usize)
    }

    /// (first, length) of runs of outputs with the same taps inside; each output by itself if not `joined`.
    fn runs(&self, joined: bool) -> Vec<(usize, usize)> {
        let inside = |q: usize| (0..self.taps.len()).map(|tap| self.source(q, tap).is_some()).collect::<Vec<_>>();
        let (mut runs, mut before): (Vec<(usize, usize)>, _) = (vec![], vec![]);
        for q in 0..self.count {
            let now = if joined { inside(q) } else { vec![] };
            match runs.last_mut() {
                Some(run) if joined && now == before => run.1 += 1,
                _ => runs.push((q, 1)),
            }
            before = now;
        }
        runs
    }
}

/// The classes along one axis.
fn lines(c: &Convolution, face: Face, axis: usize) -> Vec<Line> {
    let (stride, dilation, pad) = (c.strides[axis].max(1), c.dilations[axis], c.pads[axis] as isize);
    let reach = |k: usize| dilation.saturating_mul(k).min(isize::MAX as usize / 4) as isize;
    if face != Face::Data {
        let taps = (0..c.kernel[axis]).map(|k| (k, reach(k) - pad)).collect();
        return vec![Line { first: 0, step: 1, count: c.output[axis], pace: stride, input: c.input[axis], taps }];
    }
    let class = |r: usize| {
        let shift = |k: usize| r as isize + pad - reach(k);
        let whole = (0..c.kernel[axis]).filter(|&k| shift(k) % stride as isize == 0);
        let taps = whole.map(|k| (k, shift(k) / stride as isize)).collect();
        Line { first: r, step: stride, count: (c.input[axis] - r).div_ceil(stride), pace: 1, input: c.output[axis], taps }
    };
    (0..stride.min(c.input[axis])).map(class).collect()
}

/// Neighbours along the last axis that have the same taps inside.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Flat position of the first output.
    pub output: usize,
    /// Number of outputs.
    pub count: usize,
    /// For each tap the flat position that the first output reads, or [`NOWHERE`].
    pub sources: Vec<usize>,
}

/// Outputs that read through the same taps of the kernel.
#[derive(Debug, Clone)]
pub struct Class {
    /// Flat kernel position of each tap.
    pub taps: Vec<usize>,
    /// All its outputs; stretches with the same taps inside follow on each other.
    pub stretches: Vec<Stretch>,
    /// From an output of a stretch to the next.
    pub step: usize,
    /// The same on the side that is read.
    pub pace: usize,
}

impl Class {
    /// All classes of a face; each output position lies in just one.
    pub fn all(c: &Convolution, face: Face) -> Vec<Self> {
        let mut classes: Vec<Vec<Line>> = vec![vec![]];
        for axis in 0..c.output.len() {
            let lines = lines(c, face, axis);
            classes = classes.iter().flat_map(|c| lines.iter().map(|line| [&c[..], std::slice::from_ref(line)].concat())).collect();
        }
        let (written, read) = if face == Face::Data { (&c.input, &c.output) } else { (&c.output, &c.input) };
        classes.iter().map(|lines| Self::new(lines, written, read, &c.kernel)).collect()
    }

    fn new(lines: &[Line], written: &[usize], read: &[usize], kernel: &[usize]) -> Self {
        let [out_steps, in_steps, tap_steps] = [written, read, kernel].map(contiguous);
        let mut taps = vec![0];
        let mut stretches = vec![Stretch { output: 0, count: 1, sources: vec![0] }];
        for (axis, line) in lines.iter().enumerate() {
            let [out_step, in_step, tap_step] = [&out_steps, &in_steps, &tap_steps].map(|steps| steps[axis] as usize);
            taps = taps.iter().flat_map(|t| line.taps.iter().map(move |&(k, _)| t + k * tap_step)).collect();
            let runs = line.runs(axis + 1 == lines.len());
            let along = |outer: &Stretch| {
                let join = |&(q, count): &(usize, usize)| {
                    let inner = |&source: &usize| {
                        let lies = move |at: usize| if source == NOWHERE { NOWHERE } else { source + at * in_step };
                        (0..line.taps.len()).map(move |tap| line.source(q, tap).map_or(NOWHERE, lies))
                    };
                    let sources = outer.sources.iter().flat_map(inner).collect();
                    Stretch { output: outer.output + (line.first + line.step * q) * out_step, count, sources }
                };
                runs.iter().map(join).collect::<Vec<_>>()
            };
            stretches = stretches.iter().flat_map(along).collect();
        }
        stretches.sort_by_cached_key(|s| s.sources.iter().map(|&source| source == NOWHERE).collect::<Vec<_>>());
        let (step, pace) = lines.last().map_or((1, 1), |line| (line.step, line.pace));
        Self { taps, stretches, step, pace }
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.stretches.iter().map(|s| s.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_convolution_falls_into_classes_of_few_taps() {
        let two = |n: usize| vec![n, n];
        let c = Convolution {
            in_channels: 1,
            out_channels: 1,
            groups: 1,
            input: two(8),
            output: two(4),
            kernel: two(4),
            strides: two(2),
            dilations: two(1),
            pads: two(1),
        };
        let classes = Class::all(&c, Face::Data);
        assert_eq!(classes.len(), 4);
        let mut seen = [0; 64];
        for class in &classes {
            assert_eq!((class.taps.len(), class.outputs()), (4, 16));
            for stretch in &class.stretches {
                for q in 0..stretch.count {
                    let output = stretch.output + q * class.step;
                    seen[output] += 1;
                    for (&tap, &source) in class.taps.iter().zip(&stretch.sources) {
                        let (o, k) = ([output / 8, output % 8], [tap / 4, tap % 4]);
                        assert!((0..2).all(|a| (o[a] + 1 + 8 - k[a]) % 2 == 0), "output {output} tap {tap}");
                        let at = |a: usize| (o[a] + 1).checked_sub(k[a]).map(|n| n / 2).filter(|&n| n < 4);
                        let expected = at(0).zip(at(1)).map_or(NOWHERE, |(y, x)| y * 4 + x);
                        let source = if source == NOWHERE { source } else { source + q * class.pace };
                        assert_eq!(source, expected, "output {output} tap {tap}");
                    }
                }
            }
            // Those without padding come first, in a row.
            let padded: Vec<bool> = class.stretches.iter().map(|s| s.sources.contains(&NOWHERE)).collect();
            assert!(padded.is_sorted() && !padded[0], "{padded:?}");
        }
        assert_eq!(seen, [1; 64]);
    }
}
