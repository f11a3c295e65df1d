//! Geodesics between two latents, and the logarithmic map Log_a(b) = ċ(0).
//!
//! Several starts (the straight line, arcs, a path of the graph) descend to curves of least discrete energy, coarse ones first; saddles
//! are left along a direction of descent, duplicates merged, and the lowest is kept with the others beside it. Newton shooting then confirms
//! it by the equation of geodesics to 10⁻¹⁰, and its length |ċ(0)|_M is compared with the quadrature of the curve. Every distance
//! has a bracket: the chord |F(a) − F(b)| below (0 for a form), and above the quadrature length of a curve that exists, with its error.
//!
//! What is found is a shortest one among the geodesics that the starts lead to; no search of finitely many starts can promise more.
//! At a geodesic E = L² and the speed is constant; both are told. A search that fails gives its reason and the best curve, never the straight
//! line as if it were the answer.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Slice};

use super::curve::{Curves, Measured};
use super::energy::{Descent, End, EnergyOptions, minimise, norm};
use super::exponential::ExpOptions;
use super::manifold::Manifold;
use super::shooting::{Aim, Hit, shoot};
use super::starts::Starts;
use super::status::{Reason, Status};
use crate::error::{Error, Result};
use crate::models::Smoothness;

/// How to search.
#[derive(Debug, Clone)]
pub struct GeodesicOptions {
    /// Segments of the curves, level by level; at least four each. Curves are confirmed from the second level on.
    pub levels: Vec<usize>,
    /// Of the descent at one level.
    pub energy: EnergyOptions,
    /// How far arcs reach to the sides, in |b − a|; each on both sides.
    pub arcs: Vec<f64>,
    /// Codes `[n, d]`, over which the graph is laid that gives a start; without them two latents have a grid, more have none.
    pub codes: Option<Array2<f64>>,
    /// Neighbours of each point of the graph.
    pub neighbours: usize,
    /// Geodesics of one pair that are followed beyond the first level.
    pub competitors: usize,
    /// Rounds of shooting.
    pub shots: usize,
    /// |Exp_a(v) − b| at which shooting is done, in units of max(1, |b|).
    pub residual: f64,
    /// Of the exponential map.
    pub exp: ExpOptions,
}

impl Default for GeodesicOptions {
    fn default() -> Self {
        Self {
            levels: vec![32, 128, 256],
            energy: EnergyOptions::default(),
            arcs: vec![0.35, 0.7],
            codes: None,
            neighbours: 8,
            competitors: 4,
            shots: 20,
            residual: 1e-10,
            exp: ExpOptions { max_steps: 1000, ..ExpOptions::default() },
        }
    }
}

/// A connecting geodesic, or what came of the search.
#[derive(Debug, Clone)]
pub struct Geodesic {
    /// The curve `[N+1, d]`, at equal times.
    pub nodes: Array2<f64>,
    /// Log_a(b) = ċ(0) `[d]`, by shooting where it converged.
    pub velocity: Array1<f64>,
    /// In units of F.
    pub length: f64,
    /// How far it may be off as the length of a local geodesic: quadrature, and the difference to shooting.
    pub length_error: f64,
    /// ∫ |ċ|² dt.
    pub energy: f64,
    /// E/L² − 1 ≥ 0 of the curve.
    pub energy_excess: f64,
    /// (largest − smallest)/mean speed.
    pub speed_variation: f64,
    /// No curve is shorter.
    pub lower: f64,
    /// Some curve is no longer.
    pub upper: f64,
    /// |Exp_a(ċ(0)) − b|; NaN where shooting did not converge.
    pub residual: f64,
    /// The Morse index of the curve among curves with the same ends.
    pub index: usize,
    /// Newton steps on the way to this curve.
    pub steps: usize,
    /// How it ended.
    pub status: Status,
    /// Further local geodesics, by length.
    pub competing: Vec<Competing>,
}

/// Another local geodesic between the same points.
#[derive(Debug, Clone)]
pub struct Competing {
    /// `[N+1, d]`.
    pub nodes: Array2<f64>,
    /// By quadrature.
    pub length: f64,
    /// 0 for one that is shortest among its neighbours.
    pub index: usize,
}

/// Pairs that are searched together.
const BATCH: usize = 64;
/// Segments of a curve that is measured, where it is smooth.
const MEASURED: usize = 64;
/// Two lengths of one geodesic agree to this share, and E/L² − 1 is below it.
const AGREEMENT: f64 = 1e-6;

/// A geodesic for each pair of rows of a and b `[n, d]`.
///
/// # Errors
/// Arrays that do not fit, levels below four segments; those of the metric.
pub fn geodesics(
    manifold: &dyn Manifold,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    options: &GeodesicOptions,
) -> Result<Vec<Geodesic>> {
    let (n, d) = a.dim();
    if b.dim() != (n, d) || d != manifold.dim() {
        let what = format!("{} has {} latents, got end points {:?} and {:?}", manifold.name(), manifold.dim(), a.dim(), b.dim());
        return Err(Error::Shape { what, hint: Some("one end for each beginning".into()) });
    }
    if options.levels.is_empty() || options.levels.iter().any(|n| *n < 4) {
        return Err(Error::Input { what: format!("levels of {:?} segments", options.levels), hint: Some("four or more each".into()) });
    }
    let mut all = Vec::with_capacity(n);
    for start in (0..n).step_by(BATCH) {
        let rows = Slice::from(start..n.min(start + BATCH));
        all.extend(batch(manifold, a.slice_axis(Axis(0), rows), b.slice_axis(Axis(0), rows), options)?);
    }
    Ok(all)
}

/// What is known of one pair.
struct Pair {
    /// Local geodesics, the lowest first.
    candidates: Vec<Descent>,
    hit: Option<Hit>,
    missed: Option<Reason>,
}

fn batch(manifold: &dyn Manifold, a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, options: &GeodesicOptions) -> Result<Vec<Geodesic>> {
    let n = a.nrows();
    let smooth = manifold.smoothness() == Smoothness::Smooth;
    let finite = |row: ArrayView1<'_, f64>| row.iter().all(|x| x.is_finite());
    let open = |i: &usize| a.row(*i) != b.row(*i) && finite(a.row(*i)) && finite(b.row(*i));
    let mut searched: Vec<usize> = (0..n).filter(open).collect();
    let mut pairs: Vec<Pair> = (0..n).map(|_| Pair { candidates: Vec::new(), hit: None, missed: None }).collect();
    if !searched.is_empty() {
        let ends = [a.select(Axis(0), &searched), b.select(Axis(0), &searched)];
        let codes = options.codes.as_ref().map(|codes| codes.view());
        let starts = Starts::new(manifold, [ends[0].view(), ends[1].view()], codes, options.neighbours, &options.arcs)?;
        for (level, &segments) in options.levels.iter().enumerate() {
            let mut curves = Vec::new();
            for (place, &i) in searched.iter().enumerate() {
                if level == 0 {
                    let of = starts.of(place, ends[0].row(place), ends[1].row(place), segments);
                    curves.extend(of.into_iter().map(|nodes| (i, nodes, 0)));
                } else {
                    for old in std::mem::take(&mut pairs[i].candidates) {
                        curves.push((i, resample(&old.nodes, segments)?, old.steps));
                    }
                }
            }
            descend(manifold, curves, level == 0, &mut pairs, options)?;
            if smooth && (level > 0 || options.levels.len() == 1) {
                confirm(manifold, [a, b], &searched, &mut pairs, options)?;
            }
            searched.retain(|i| pairs[*i].hit.is_none() && !pairs[*i].candidates.is_empty());
            if searched.is_empty() {
                break;
            }
        }
    }
    let images = manifold.embedding().map(|f| Ok::<_, Error>([f.decode(a, None)?, f.decode(b, None)?])).transpose()?;
    let chord = |i: usize| images.as_ref().map_or(0.0, |[a, b]| norm(&(&a.row(i) - &b.row(i))));
    let done = pairs.into_iter().enumerate();
    done.map(|(i, pair)| finish(manifold, a.row(i), b.row(i), pair, chord(i), smooth)).collect()
}

/// Descends from all curves (pair, nodes, steps before), leaves saddles, and keeps what differs. The lowest of a pair comes first where not
/// `every` saddle is left.
fn descend(
    manifold: &dyn Manifold,
    curves: Vec<(usize, Array2<f64>, usize)>,
    every: bool,
    pairs: &mut [Pair],
    options: &GeodesicOptions,
) -> Result<()> {
    let mut waiting = curves;
    // A saddle leads to lower ones; theirs are left in turn, a few times.
    for _ in 0..3 {
        let (owners, nodes): (Vec<_>, Vec<_>) = waiting.drain(..).map(|(i, nodes, steps)| ((i, steps), nodes)).unzip();
        for ((i, before), mut found) in owners.into_iter().zip(minimise(manifold, nodes, &options.energy)?) {
            found.steps += before;
            if found.end == End::NonFinite || pairs[i].candidates.iter().any(|other| same(other, &found)) {
                continue;
            }
            if let Some(escape) = &found.escape
                && (every || pairs[i].candidates.is_empty())
            {
                let away = 0.1 * extent(&found.nodes);
                waiting.extend([away, -away].map(|away| (i, &found.nodes + &(escape * away), found.steps)));
            }
            pairs[i].candidates.push(found);
        }
        if waiting.is_empty() {
            break;
        }
    }
    for pair in pairs.iter_mut() {
        pair.candidates.sort_by(|x, y| x.energy.total_cmp(&y.energy));
        pair.candidates.truncate(options.competitors.max(1));
    }
    Ok(())
}

/// Shoots along the lowest curve of each pair.
fn confirm(
    manifold: &dyn Manifold,
    [a, b]: [ArrayView2<'_, f64>; 2],
    searched: &[usize],
    pairs: &mut [Pair],
    options: &GeodesicOptions,
) -> Result<()> {
    let (mut who, mut aims) = (Vec::new(), Vec::new());
    for &i in searched {
        let Some(best) = pairs[i].candidates.first() else { continue };
        match &best.sensitivity {
            // A saddle is a geodesic, but not the answer.
            Some(sensitivity) if best.index == 0 => {
                who.push(i);
                aims.push(Aim {
                    from: a.row(i).to_owned(),
                    to: b.row(i).to_owned(),
                    velocity: velocity(&best.nodes)?,
                    sensitivity: sensitivity.clone(),
                });
            }
            Some(_) => {}
            None => pairs[i].missed = Some(Reason::RankLoss),
        }
    }
    if who.is_empty() {
        return Ok(());
    }
    // Local errors of the integration stay well below the residual.
    let tolerance = (0.1 * options.residual).max(1e-13);
    for (i, hit) in who.into_iter().zip(shoot(manifold, aims, [options.residual, tolerance], options.shots, &options.exp)?) {
        match hit {
            Ok(hit) => pairs[i].hit = Some(hit),
            Err(reason) => pairs[i].missed = Some(reason),
        }
    }
    Ok(())
}

fn finish(
    manifold: &dyn Manifold,
    a: ArrayView1<'_, f64>,
    b: ArrayView1<'_, f64>,
    pair: Pair,
    chord: f64,
    smooth: bool,
) -> Result<Geodesic> {
    let mut candidates = pair.candidates.into_iter();
    let Some(best) = candidates.next() else { return Ok(without_curve(a, b, chord)) };
    let mut nodes = vec![thinned(&best.nodes, smooth)];
    let mut competing = Vec::new();
    for other in candidates {
        nodes.push(thinned(&other.nodes, smooth));
        competing.push(other.index);
    }
    // Curves of one pair have one number of nodes.
    let views: Vec<_> = nodes.iter().map(|nodes| nodes.view()).collect();
    let stacked = ndarray::stack(Axis(0), &views).map_err(|error| Error::Shape { what: error.to_string(), hint: None })?;
    let measured = Curves::through(stacked.view())?.measure(manifold)?;
    let Measured { length: curve, length_error, energy, speed_variation } = measured[0];
    let energy_excess = (energy / (curve * curve) - 1.0).max(0.0);
    let apart = pair.hit.as_ref().map_or(0.0, |hit| (hit.length - curve).abs());
    let length = pair.hit.as_ref().map_or(curve, |hit| hit.length);
    let status = match (&pair.hit, best.end) {
        _ if !curve.is_finite() => Status::Failed(Reason::NonFinite),
        (Some(_), _) if apart <= AGREEMENT * length && energy_excess < AGREEMENT => Status::Converged,
        (Some(_), _) => Status::EnergyOnly(Reason::Unresolved),
        (None, End::MaxSteps) => Status::Failed(Reason::MaxIter),
        (None, _) if best.index > 0 => Status::Saddle(best.index),
        (None, _) if !smooth => Status::EnergyOnly(Reason::NonSmooth),
        (None, _) => Status::EnergyOnly(pair.missed.unwrap_or(Reason::Unresolved)),
    };
    let mut competing: Vec<Competing> = nodes
        .drain(1..)
        .zip(competing)
        .zip(&measured[1..])
        .map(|((nodes, index), measured)| Competing { nodes, length: measured.length, index })
        .collect();
    competing.sort_by(|x, y| x.length.total_cmp(&y.length));
    Ok(Geodesic {
        velocity: pair.hit.as_ref().map_or_else(|| velocity(&best.nodes), |hit| Ok(hit.velocity.clone()))?,
        nodes: nodes.swap_remove(0),
        length,
        length_error: length_error + apart,
        energy,
        energy_excess,
        speed_variation,
        lower: chord,
        // The curve that was measured, or another that is shorter still.
        upper: measured.iter().map(|m| m.length + m.length_error).fold(f64::INFINITY, f64::min),
        residual: pair.hit.as_ref().map_or(f64::NAN, |hit| hit.residual),
        index: best.index,
        steps: best.steps,
        status,
        competing,
    })
}

/// The ends are one point, or no start has finite values.
fn without_curve(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>, chord: f64) -> Geodesic {
    let known = a == b && chord.is_finite();
    let value = if known { 0.0 } else { f64::NAN };
    let nodes = Array2::from_shape_fn((MEASURED + 1, a.len()), |(k, j)| match k {
        _ if known || k == 0 => a[j],
        MEASURED => b[j],
        _ => f64::NAN,
    });
    Geodesic {
        nodes,
        velocity: Array1::from_elem(a.len(), value),
        length: value,
        length_error: value,
        energy: value,
        energy_excess: value,
        speed_variation: value,
        lower: if chord.is_finite() { chord } else { 0.0 },
        upper: if known { 0.0 } else { f64::INFINITY },
        residual: value,
        index: 0,
        steps: 0,
        status: if known { Status::Converged } else { Status::Failed(Reason::NonFinite) },
        competing: Vec::new(),
    }
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
fn velocity(nodes: &Array2<f64>) -> Result<Array1<f64>> {
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

/// Every so many nodes of a smooth curve: its spline is as good, and cheaper to measure.
fn thinned(nodes: &Array2<f64>, smooth: bool) -> Array2<f64> {
    let n = nodes.nrows() - 1;
    let every = if smooth && n.is_multiple_of(MEASURED) { n / MEASURED } else { 1 };
    nodes.slice_axis(Axis(0), Slice::new(0, None, every as isize)).to_owned()
}
