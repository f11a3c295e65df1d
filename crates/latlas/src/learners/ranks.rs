//! Ranks and what is made of them.

/// Ranks from 1, equal values sharing the average of theirs.
pub fn average_ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
    let mut ranks = vec![0.0; x.len()];
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..].iter().take_while(|i| x[**i] == x[order[start]]).count().max(1);
        let rank = start as f64 + f64::midpoint(1.0, tied as f64);
        order[start..start + tied].iter().for_each(|i| ranks[*i] = rank);
        start += tied;
    }
    ranks
}

/// The probability that a positive outranks a negative, ties counting ½; `None` where one of both is missing.
///
/// ```text
/// AUC = (Σ ranks of positives − n₊(n₊+1)/2)/(n₊ n₋)
/// ```
pub fn auc(scores: &[f64], positive: impl Fn(usize) -> bool) -> Option<f64> {
    let ranks = average_ranks(scores);
    let (mut sum, mut n) = (0.0, 0.0);
    for (_, rank) in ranks.iter().enumerate().filter(|(i, _)| positive(*i)) {
        sum += rank;
        n += 1.0;
    }
    let others = scores.len() as f64 - n;
    (n > 0.0 && others > 0.0).then(|| (sum - n * (n + 1.0) / 2.0) / (n * others))
}

/// The squared correlation of two columns over the rows where both are finite; 0 where one of them does not vary.
pub fn squared_correlation(x: &[f64], y: &[f64]) -> f64 {
    let rows = || x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite());
    let n = rows().count() as f64;
    let mean = |sum: f64| if n > 0.0 { sum / n } else { 0.0 };
    let (mx, my) = (mean(rows().map(|(x, _)| x).sum()), mean(rows().map(|(_, y)| y).sum()));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in rows() {
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
        xy += (x - mx) * (y - my);
    }
    if mean(xx) <= 1e-12 || yy <= 0.0 { 0.0 } else { (xy * xy / (xx * yy)).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(average_ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert!(average_ranks(&[]).is_empty());
    }

    #[test]
    fn ties_count_half() {
        let labels = [false, false, true, true];
        assert_eq!(auc(&[0.1, 0.4, 0.4, 0.8], |i| labels[i]), Some(0.875));
        assert_eq!(auc(&[0.1, 0.4], |_| true), None);
    }

    #[test]
    fn a_line_has_a_squared_correlation_of_one() {
        assert!((squared_correlation(&[1.0, 2.0, 3.0, f64::NAN], &[-2.0, -4.0, -6.0, 1.0]) - 1.0).abs() < 1e-15);
        assert_eq!(squared_correlation(&[1.0, 1.0], &[0.0, 1.0]), 0.0);
    }
}
