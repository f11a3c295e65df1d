//! The search: descents from all starts level by level, and shots along what they find.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::finish::finish;
use super::{Confirmation, Geodesic, GeodesicOptions};
use crate::error::{Error, Result};
use crate::geometry::curve::Curves;
use crate::geometry::energy::{Descent, End, EnergyOptions, departure, minimise, norm};
use crate::geometry::manifold::Manifold;
use crate::geometry::shooting::{Aim, Hit, shoot};
use crate::geometry::starts::Starts;
use crate::geometry::status::Reason;
use crate::models::Smoothness;

/// Of the descent to curves that are refined or confirmed afterwards.
const COARSE: f64 = 1e-4;
/// Energies of curves that may still become the lowest, in units of the lowest.
const RIVAL: f64 = 1.5;
/// The error of an energy of sixth order is at most this share of what the last refinement changed.
const LEFT: f64 = 1.0 / 7.0;
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
    /// E of half as many segments or fewer, where that is of sixth order.
    coarser: Option<f64>,
    /// The error of the length, where two levels agree.
    pub agreed: Option<f64>,
}

/// Where a descent begins: the pair, nodes, steps before, and the energy at the level before.
type Start = (usize, Array2<f64>, usize, Option<f64>);

impl Candidate {
    /// The length of a curve that is confirmed.
    pub fn length(&self) -> Option<f64> {
        self.hit.as_ref().map(|hit| hit.length).or(self.agreed.map(|_| self.descent.energy.sqrt()))
    }

    /// How far the length may be off, where two levels of sixth order tell.
    fn error(&self) -> Option<f64> {
        let coarser = self.coarser.filter(|_| self.descent.is_fine)?;
        Some(LEFT * (self.descent.energy.sqrt() - coarser.sqrt()).abs())
    }

    /// L² where a shot tells it, the discrete energy otherwise.
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
        let levels: Vec<usize> = match (dense, smooth) {
            (true, true) => options.levels.clone(),
            (true, false) => options.levels.iter().map(|n| 2 * n).collect(),
            (false, _) => vec![(first / 2).max(4), if smooth { 2 * first } else { first }],
        };
        for (level, &segments) in levels.iter().enumerate() {
            let mut curves: Vec<Start> = Vec::new();
            if level == 0 {
                for (place, &i) in searched.iter().enumerate() {
                    let of = starts.of(place, ends[0].row(place), ends[1].row(place), segments);
                    curves.extend(of.into_iter().map(|nodes| (i, nodes, 0, None)));
                }
            } else {
                for &i in &searched {
                    let lowest = pairs[i].first().map_or(f64::NAN, Candidate::energy);
                    // Saddles are told of, but lead nowhere unless there is nothing else.
                    let rival = |candidate: &Candidate| {
                        let energy = candidate.energy();
                        candidate.length().is_none() && energy <= RIVAL * lowest && (candidate.descent.index == 0 || energy <= lowest)
                    };
                    let (open, rest): (Pair, Pair) = std::mem::take(&mut pairs[i]).into_iter().partition(rival);
                    pairs[i] = rest;
                    for old in open {
                        let Descent { nodes, steps, energy, is_fine, .. } = old.descent;
                        let coarser = Some(energy).filter(|_| is_fine && segments >= 2 * (nodes.nrows() - 1));
                        curves.push((i, resample(&nodes, segments)?, steps, coarser));
                    }
                }
            }
            // What is confirmed or refined afterwards need not be exact.
            let coarse = if smooth && level + 1 < levels.len() { COARSE } else { 0.0 };
            let energy = EnergyOptions { tolerance: options.energy.tolerance.max(coarse), ..options.energy.clone() };
            descend(manifold, curves, level == 0, &mut pairs, &energy)?;
            pairs.iter_mut().for_each(sort);
            let last = level + 1 == levels.len();
            if smooth && dense && (level > 0 || last) {
                confirm(manifold, [a, b], &searched, &mut pairs, last, options)?;
            }
            // Without factors a curve takes too long for more than the best one to be followed.
            pairs.iter_mut().for_each(|pair| pair.truncate(if dense { options.competitors.max(1) } else { 1 }));
            searched.retain(|i| pairs[*i].first().is_some_and(|best| best.length().is_none()));
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
    let share = if let Confirmation::Agreement(share) = options.confirmation { share } else { 0.0 };
    done.map(|(i, pair)| finish(manifold, [a.row(i), b.row(i)], pair, chord(i), (smooth, share))).collect()
}

/// Descends from all curves, leaves saddles, and keeps what differs. Only the first of a pair is left where not `every` saddle is.
fn descend(manifold: &dyn Manifold, curves: Vec<Start>, every: bool, pairs: &mut [Pair], options: &EnergyOptions) -> Result<()> {
    let mut waiting = curves;
    // A saddle leads to lower ones; theirs are left in turn, a few times.
    for _ in 0..3 {
        let (before, starts): (Vec<_>, Vec<_>) =
            waiting.drain(..).map(|(i, nodes, steps, energy)| ((i, steps, energy), (i, nodes))).unzip();
        for ((i, before, coarser), mut found) in before.into_iter().zip(minimise(manifold, starts, every, options)?) {
            found.steps += before;
            let known = |candidate: &Candidate| candidate.hit.is_none() && same(&candidate.descent, &found);
            if matches!(found.end, End::NonFinite | End::Merged) || pairs[i].iter().any(known) {
                continue;
            }
            if let Some(escape) = &found.escape
                && (every || pairs[i].is_empty())
            {
                let away = 0.1 * extent(&found.nodes);
                waiting.extend([away, -away].map(|away| (i, &found.nodes + &(escape * away), found.steps, None)));
            }
            pairs[i].push(Candidate { descent: found, hit: None, missed: None, coarser, agreed: None });
        }
        if waiting.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Confirms the lowest curve of each pair, by the level before or by shooting along it until that is a hit or a miss: a hit below all others
/// ends the search. A saddle is a geodesic, but not the answer.
fn confirm(
    manifold: &dyn Manifold,
    [a, b]: [ArrayView2<'_, f64>; 2],
    searched: &[usize],
    pairs: &mut [Pair],
    last: bool,
    options: &GeodesicOptions,
) -> Result<()> {
    let agreement = match options.confirmation {
        Confirmation::Agreement(share) if manifold.embedding().is_some() => Some(share),
        _ => None,
    };
    let residual = if let Confirmation::Agreement(share) = options.confirmation { 0.1 * share } else { options.residual };
    loop {
        let (mut who, mut aims) = (Vec::new(), Vec::new());
        for &i in searched {
            let open = |best: &&mut Candidate| best.length().is_none() && best.missed.is_none();
            let Some(best) = pairs[i].first_mut().filter(open) else { continue };
            let Some(sensitivity) = best.descent.sensitivity.clone() else {
                best.missed = Some(Reason::RankLoss);
                continue;
            };
            if best.descent.index > 0 {
                continue;
            }
            if let Some(share) = agreement {
                best.agreed = best.error().filter(|error| *error <= share * best.descent.energy.sqrt());
                if best.agreed.is_some() || !last {
                    continue;
                }
            }
            who.push(i);
            let velocity = velocity(manifold, &best.descent, true)?;
            aims.push(Aim { from: a.row(i).to_owned(), to: b.row(i).to_owned(), velocity, sensitivity });
        }
        if who.is_empty() {
            return Ok(());
        }
        for (i, hit) in who.into_iter().zip(shoot(manifold, aims, residual, options.shots, &options.exp)?) {
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

/// One local geodesic at one level: energies within 10⁻⁵ and nodes within a hundredth of the extent.
fn same(x: &Descent, y: &Descent) -> bool {
    if x.nodes.dim() != y.nodes.dim() {
        return false;
    }
    let furthest = (&x.nodes - &y.nodes).map_axis(Axis(1), |row| row.dot(&row).sqrt()).fold(0.0, |most: f64, x| most.max(*x));
    (x.energy - y.energy).abs() <= 1e-5 * x.energy && furthest <= 0.01 * extent(&x.nodes)
}

fn extent(nodes: &Array2<f64>) -> f64 {
    norm(&(&nodes.row(nodes.nrows() - 1) - &nodes.row(0)))
}

/// ċ(0): from the energy where that is of sixth order, of the spline otherwise.
pub fn velocity(manifold: &dyn Manifold, descent: &Descent, smooth: bool) -> Result<Array1<f64>> {
    let nodes = &descent.nodes;
    if smooth
        && descent.sensitivity.is_some()
        && let Some(velocity) = departure(manifold, nodes)?
    {
        return Ok(velocity);
    }
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
