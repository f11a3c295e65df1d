//! The findings as Markdown.

use super::contest::{Best, Outcome};
use super::derivatives::VARIANTS;
use super::{Case, Findings};
use crate::bench::table::{Table, three_digits};

/// The section of `docs/performance.md`.
pub fn markdown(f: &Findings) -> String {
    let mut parts = vec![format!("{}; {}. Medians of {} rounds, in turn; milliseconds a call.", f.host, f.versions.join(", "), f.rounds)];
    let peak = |peak: f64| format!("Measured peak of fused multiply-adds: {} GFLOP/s.", three_digits(peak / 1e9));
    parts.push(format!("### f32, one thread\n\n{}\n\n{}", peak(f.peaks[0]), beside_peers(&f.f32, f.peaks[0], None)));
    if !f.f64.is_empty() {
        parts.push(format!("### f64, one thread\n\n{}\n\n{}", peak(f.peaks[1]), beside_peers(&f.f64, f.peaks[1], None)));
    }
    if !f.two_threads.is_empty() {
        let table = beside_peers(&f.two_threads, f.peaks[2], Some(&f.f32));
        parts.push(format!("### f32, two threads\n\n{}\n\n{table}", peak(f.peaks[2])));
    }
    parts.push(format!(
        "### Other derivatives\n\nIn f32 on one thread, with the value: seconds over those of the value alone.\n\n{}",
        costs(f)
    ));
    let refused = refused(f);
    if !refused.is_empty() {
        parts.push(format!("### Not counted\n\nForms of the peers that failed, or whose result is wrong:\n\n{refused}"));
    }
    parts.join("\n\n")
}

fn title(case: &Case, n: usize) -> String {
    format!("{}, n = {n}", case.title)
}

/// Ours, then the best form of each peer with its time over ours. With the outcomes of one thread, the speed-up over them
/// too.
fn beside_peers(outcomes: &[Outcome], peak: f64, one_thread: Option<&[Outcome]>) -> String {
    let mut heading = vec!["case", "Latlas", "GFLOP/s", "of peak", "PyTorch", "×", "JAX", "×"];
    if one_thread.is_some() {
        heading.push("over one");
    }
    heading.push("largest difference");
    let mut table = Table::new(&heading);
    for (i, outcome) in outcomes.iter().enumerate() {
        let Some(ours) = outcome.seconds(0) else { continue };
        let rate = outcome.facts.operations / ours;
        let mut cells = vec![title(outcome.case, outcome.facts.n), three_digits(ours * 1e3), three_digits(rate / 1e9)];
        cells.push(format!("{:.0} %", 100.0 * rate / peak));
        for peer in &outcome.best[1..] {
            cells.push(peer.as_ref().map_or("–".into(), with_form));
            cells.push(peer.as_ref().map_or(String::new(), |peer| format!("{:.2}", peer.seconds / ours)));
        }
        if let Some(before) = one_thread.and_then(|outcomes| outcomes.get(i)) {
            cells.push(before.seconds(0).map_or(String::new(), |before| format!("{:.2}", before / ours)));
        }
        cells.push(outcome.best[0].as_ref().map_or(String::new(), |best| format!("{:.0e}", best.difference)));
        table.row(cells);
    }
    table.markdown()
}

fn with_form(best: &Best) -> String {
    format!("{} ({})", three_digits(best.seconds * 1e3), best.variant)
}

fn costs(f: &Findings) -> String {
    let mut table = Table::new(&[&["case", "value, ms"], &VARIANTS[..]].concat());
    for cost in &f.derivatives {
        let mut cells = vec![title(cost.case, cost.n), three_digits(cost.forward * 1e3)];
        cells.extend(cost.derivatives.iter().map(|seconds| format!("{:.2}", seconds / cost.forward)));
        table.row(cells);
    }
    table.markdown()
}

fn refused(f: &Findings) -> String {
    let all = [("f32", &f.f32), ("f64", &f.f64), ("f32, two threads", &f.two_threads)];
    let mut lines = vec![];
    for (what, outcomes) in all {
        for outcome in outcomes {
            for refused in &outcome.refused {
                let (package, variant) = (&refused.package, &refused.variant);
                let why = refused.why.split(". ").next().unwrap_or("").chars().take(160).collect::<String>();
                lines.push(format!("- {} in {what}, {package} {variant}: {why}", outcome.case.name));
            }
        }
    }
    lines.join("\n")
}
