//! What the headline says of the entropy spectrum.

use crate::estimate::Estimate;
use crate::report::extra::{entries, entry, numbers, order};
use crate::report::number::{about, measured};
use crate::report::text::visible;

/// A gap in the spectrum counts as a cliff from this many nats and this many standard errors on.
const CLIFF: (f64, f64) = (0.5, 4.0);
/// The entropies, sorted.
pub struct Spectrum<'a> {
    estimate: &'a Estimate,
    /// Latents by falling entropy.
    order: Vec<usize>,
    /// Latents that move nothing at all.
    dead: usize,
    /// Latents that move nothing at some samples.
    sometimes: usize,
}

impl<'a> Spectrum<'a> {
    /// Of the estimate `manifold-entropy`.
    pub fn new(estimate: &'a Estimate) -> Self {
        let values = entries(&estimate.value);
        let share = numbers(estimate.extra.get("dead_share")).filter(|s| s.len() == values.len());
        let minus: Vec<usize> = (0..values.len()).filter(|i| values[*i] == f64::NEG_INFINITY).collect();
        let dead = minus.iter().filter(|i| share.as_ref().is_none_or(|s| s[**i] >= 1.0)).count();
        Self { estimate, order: order(estimate), dead, sometimes: minus.len() - dead }
    }

    fn said(&self, i: usize) -> String {
        entry(self.estimate, i).map_or_else(|| "undefined".into(), |(value, error)| measured(value, error).to_string())
    }

    /// The latents with a finite entropy, in order.
    fn live(&self) -> Vec<usize> {
        self.order.iter().copied().filter(|i| entry(self.estimate, *i).is_some_and(|(value, _)| value.is_finite())).collect()
    }

    /// How many latents there are, how many of them are in use, and what they carry.
    pub fn lead(&self) -> String {
        let (d, live) = (self.order.len(), self.live());
        let unit = visible(&self.estimate.unit);
        let use_of = match (d, d - self.dead) {
            (1, 1) => "One latent direction, and it is in use".to_string(),
            (1, _) => "One latent direction, and the decoder ignores it".to_string(),
            (2, 2) => "2 latent directions, both in use".to_string(),
            (_, 0) => format!("{d} latent directions, and the decoder ignores all of them"),
            (_, n) if n == d => format!("{d} latent directions, all in use"),
            (_, 1) => format!("{d} latent directions, of which one is in use and {} move nothing", d - 1),
            (_, n) => format!(
                "{d} latent directions, of which {n} are in use and {} {} nothing",
                d - n,
                if d - n == 1 { "moves" } else { "move" }
            ),
        };
        match live[..] {
            [] => format!("{use_of}."),
            [only] => format!("{use_of}: latent {only} carries {} {unit}.", self.said(only)),
            [first, second] => {
                format!("{use_of}: latent {first} carries {} {unit}, latent {second} {} {unit}.", self.said(first), self.said(second))
            }
            [first, .., last] => {
                format!(
                    "{use_of}: from latent {first} with {} {unit} down to latent {last} with {} {unit}.",
                    self.said(first),
                    self.said(last)
                )
            }
        }
    }

    /// Whether there is a cliff.
    pub fn shape(&self) -> Option<String> {
        let live = self.live();
        if live.len() < 2 {
            return (self.sometimes > 0).then(|| self.sometimes_dead());
        }
        let gap = |k: usize| -> Option<(usize, f64, f64)> {
            let ((above, e1), (below, e2)) = (entry(self.estimate, live[k])?, entry(self.estimate, live[k + 1])?);
            Some((k + 1, above - below, e1.unwrap_or(0.0).hypot(e2.unwrap_or(0.0))))
        };
        let widest = (0..live.len() - 1).filter_map(gap).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (kept, height, error) = widest;
        let ratio = about(height.exp(), 2);
        let mut said = if height >= CLIFF.0 && height >= CLIFF.1 * error {
            if live.len() == 2 {
                format!("They are unequal: latent {} moves the data {ratio} times as far as latent {}.", live[0], live[1])
            } else {
                let rest = live.len() - kept;
                let others = if rest == 1 { "the remaining one moves".into() } else { format!("the other {rest} move") };
                format!(
                    "The spectrum has a cliff of {} nats after the first {kept}: {others} the data {ratio} times less far.",
                    about(height, 2)
                )
            }
        } else if live.len() == 2 {
            "They matter about equally.".to_string()
        } else {
            let all = entry(self.estimate, live[0])?.0 - entry(self.estimate, live[live.len() - 1])?.0;
            format!(
                "There is no cliff in the spectrum: it falls by {} nats over {} latents in small steps, so no group of latents is switched off.",
                about(all, 2),
                live.len()
            )
        };
        if self.sometimes > 0 {
            said = format!("{said} {}", self.sometimes_dead());
        }
        Some(said)
    }

    fn sometimes_dead(&self) -> String {
        match self.sometimes {
            1 => "One latent moves nothing at some samples.".into(),
            n => format!("{n} latents move nothing at some samples."),
        }
    }
}
