//! The search: descents from all starts level by level, and shots along what they find.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::finish::finish;
use super::{Geodesic, GeodesicOptions};
use crate::error::{Error, Result};
use crate::geometry::curve::Curves;
use crate::geometry::energy::{Descent, End, EnergyOptions, minimise, norm};
use crate::geometry::manifold::Manifold;
use crate::geometry::shooting::{Aim, Hit, shoot};
use crate::geometry::starts::Starts;
use crate::geometry::status::Reason;
use crate::models::Smoothness;

/// Of the descent to curves that are refined or confirmed afterwards.
const COARSE: f64 = 1e-5;
/// Two shots are one geodesic where their velocities agree to this share.
const ONE: f64 = 1e-6;
/// A shot ends at the same places as the curve that it was aimed along, but for this share of the extent.
const ASTRAY: f64 = 0.1;

/// A local geodesic, or what may become one.
pub struct Candidate {
    pub descent: Descent,
    /// What shooting along it found.
    pub hit: Option<Hit>,
    /// Why it found nothing.
    pub missed: Option<Reason>,
}

impl Candidate {
    /// L² where it is known, the energy of the chords, which is less than that of the curve, otherwise.
    fn energy(&self) -> f64 {
        self.hit.as_ref().map_or(self.descent.energy, |hit| hit.length * hit.length)
    }
}

/// Local geodesics of a pair, the lowest first.
type Pair = Vec<Candidate>;

/// All pairs of rows at once.
pub fn batch(manifold: &dyn Manifold, a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, options: &GeodesicOptions) -> Result<Vec<Geodesic>> {
    let n = a.nrows();
    let smooth = manifold.smoothness() == Smoothness::Smooth;
    let dense = manifold.dim() <= options.energy.dense;
    let finite = |row: ArrayView1<'_, f64>| row.iter().all(|x| x.is_finite());
    let open = |i: &usize| a.row(*i) != b.row(*i) && finite(a.row(*i)) && finite(b.row(*i));
    let mut searched: Vec<usize> = (0..n).filter(open).collect();
    let mut pairs: Vec<Pair> = (0..n).map(|_| Vec::new()).collect();
    if !searched.is_empty() {
        let ends = [a.select(Axis(0), &searched), b.select(Axis(0), &searched)];
        let codes = options.codes.as_ref().map(|codes| codes.view());
        let arcs = if dense { &options.arcs[..] } else { &[] };
        let starts = Starts::new(manifold, [ends[0].view(), ends[1].view()], codes, options.neighbours, arcs)?;
        let first = options.levels[0];
        let levels = if dense { options.levels.clone() } else { vec![(first / 4).max(4), first] };
        for (level, &segments) in levels.iter().enumerate() {
            let mut curves = Vec::new();
            if level == 0 {
                for (place, &i) in searched.iter().enumerate() {
                    let of = starts.of(place, ends[0].row(place), ends[1].row(place), segments);
                    curves.extend(of.into_iter().map(|nodes| (i, nodes, 0)));
                }
            } else {
                for &i in &searched {
                    let (hit, open): (Pair, Pair) =
                        std::mem::take(&mut pairs[i]).into_iter().partition(|candidate| candidate.hit.is_some());
                    pairs[i] = hit;
                    for old in open {
                        curves.push((i, resample(&old.descent.nodes, segments)?, old.descent.steps));
                    }
                }
            }
            // What is confirmed or refined afterwards need not be exact.
            let coarse = if smooth && level + 1 < levels.len() { COARSE } else { 0.0 };
            let energy = EnergyOptions { tolerance: options.energy.tolerance.max(coarse), ..options.energy.clone() };
            descend(manifold, curves, level == 0, &mut pairs, &energy)?;
            pairs.iter_mut().for_each(sort);
            if smooth && dense {
                confirm(manifold, [a, b], &searched, &mut pairs, options)?;
            }
            // Without factors a curve takes too long for more than the best one to be followed.
            pairs.iter_mut().for_each(|pair| pair.truncate(if dense { options.competitors.max(1) } else { 1 }));
            searched.retain(|i| pairs[*i].first().is_some_and(|best| best.hit.is_none()));
            if searched.is_empty() {
                break;
            }
        }
    }
    if smooth && !dense {
        pairs.iter_mut().flatten().for_each(|candidate| candidate.missed = Some(Reason::Dimension));
    }
    let images = manifold.embedding().map(|f| Ok::<_, Error>([f.decode(a, None)?, f.decode(b, None)?])).transpose()?;
    let chord = |i: usize| images.as_ref().map_or(0.0, |[a, b]| norm(&(&a.row(i) - &b.row(i))));
    let done = pairs.into_iter().enumerate();
    done.map(|(i, pair)| finish(manifold, [a.row(i), b.row(i)], pair, chord(i), smooth)).collect()
}

/// Descends from all curves (pair, nodes, steps before), leaves saddles, and keeps what differs. Only the first of a pair is left where not
/// `every` saddle is.
fn descend(
    manifold: &dyn Manifold,
    curves: Vec<(usize, Array2<f64>, usize)>,
    every: bool,
    pairs: &mut [Pair],
    options: &EnergyOptions,
) -> Result<()> {
    let mut waiting = curves;
    // A saddle leads to lower ones; theirs are left in turn, a few times.
    for _ in 0..3 {
        let (before, starts): (Vec<_>, Vec<_>) = waiting.drain(..).map(|(i, nodes, steps)| ((i, steps), (i, nodes))).unzip();
        for ((i, before), mut found) in before.into_iter().zip(minimise(manifold, starts, options)?) {
            found.steps += before;
            let known = |candidate: &Candidate| candidate.hit.is_none() && same(&candidate.descent, &found);
            if matches!(found.end, End::NonFinite | End::Merged) || pairs[i].iter().any(known) {
                continue;
            }
            if let Some(escape) = &found.escape
                && (every || pairs[i].is_empty())
            {
                let away = 0.1 * extent(&found.nodes);
                waiting.extend([away, -away].map(|away| (i, &found.nodes + &(escape * away), found.steps)));
            }
            pairs[i].push(Candidate { descent: found, hit: None, missed: None });
        }
        if waiting.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Shoots along the lowest curve of each pair until that is a hit, or a miss: a hit below the chords of all others ends the search. A saddle is
/// a geodesic, but not the answer.
fn confirm(
    manifold: &dyn Manifold,
    [a, b]: [ArrayView2<'_, f64>; 2],
    searched: &[usize],
    pairs: &mut [Pair],
    options: &GeodesicOptions,
) -> Result<()> {
    loop {
        let (mut who, mut aims) = (Vec::new(), Vec::new());
        for &i in searched {
            let Some(best) = pairs[i].first_mut().filter(|best| best.hit.is_none() && best.missed.is_none()) else { continue };
            match &best.descent.sensitivity {
                Some(sensitivity) if best.descent.index == 0 => {
                    let (velocity, sensitivity) = (velocity(&best.descent.nodes)?, sensitivity.clone());
                    who.push(i);
                    aims.push(Aim { from: a.row(i).to_owned(), to: b.row(i).to_owned(), velocity, sensitivity });
                }
                Some(_) => {}
                None => best.missed = Some(Reason::RankLoss),
            }
        }
        if who.is_empty() {
            return Ok(());
        }
        for (i, hit) in who.into_iter().zip(shoot(manifold, aims, options.residual, options.shots, &options.exp)?) {
            let best = &mut pairs[i][0];
            match hit {
                Ok(hit) if astray(&best.descent.nodes, &hit.nodes) => best.missed = Some(Reason::ShootingDiverged),
                Ok(hit) => best.hit = Some(hit),
                Err(reason) => best.missed = Some(reason),
            }
            sort(&mut pairs[i]);
        }
    }
}

/// The lowest first; of two shots that are one geodesic the second goes.
fn sort(pair: &mut Pair) {
    pair.sort_by(|x, y| x.energy().total_cmp(&y.energy()));
    let again = |hit: &Hit, other: &Hit| norm(&(&hit.velocity - &other.velocity)) <= ONE * norm(&hit.velocity);
    pair.dedup_by(|x, y| x.hit.as_ref().zip(y.hit.as_ref()).is_some_and(|(x, y)| again(x, y)));
}

/// Whether a shot went another way than the curve that it was aimed along.
fn astray(curve: &Array2<f64>, shot: &Array2<f64>) -> bool {
    let (n, m) = (curve.nrows() - 1, shot.nrows() - 1);
    // At the times that both have.
    let common = (1..=n.min(m)).rev().find(|k| n.is_multiple_of(*k) && m.is_multiple_of(*k)).unwrap_or(1);
    let apart = |k: usize| norm(&(&curve.row(k * n / common) - &shot.row(k * m / common)));
    (0..=common).map(apart).fold(0.0, f64::max) > ASTRAY * extent(curve)
}

/// One local geodesic: energies within 2·10⁻⁶ and nodes within a hundredth of the extent.
fn same(x: &Descent, y: &Descent) -> bool {
    let furthest = (&x.nodes - &y.nodes).map_axis(Axis(1), |row| row.dot(&row).sqrt()).fold(0.0, |most: f64, x| most.max(*x));
    (x.energy - y.energy).abs() <= 2e-6 * x.energy && furthest <= 0.01 * extent(&x.nodes)
}

fn extent(nodes: &Array2<f64>) -> f64 {
    norm(&(&nodes.row(nodes.nrows() - 1) - &nodes.row(0)))
}

/// ċ(0) of the spline.
pub fn velocity(nodes: &Array2<f64>) -> Result<Array1<f64>> {
    Ok(Curves::through(nodes.view().insert_axis(Axis(0)))?.velocities.index_axis(Axis(0), 0).row(0).to_owned())
}

/// The spline at equal times.
fn resample(nodes: &Array2<f64>, segments: usize) -> Result<Array2<f64>> {
    let curve = Curves::through(nodes.view().insert_axis(Axis(0)))?;
    let mut finer = Array2::zeros((segments + 1, nodes.ncols()));
    for (k, mut row) in finer.outer_iter_mut().enumerate() {
        row.assign(&curve.at(k as f64 / segments as f64).0.row(0));
    }
    // The ends to the bit.
    finer.row_mut(0).assign(&nodes.row(0));
    finer.row_mut(segments).assign(&nodes.row(nodes.nrows() - 1));
    Ok(finer)
}
