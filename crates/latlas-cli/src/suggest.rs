//! Did you mean …: the name closest to one that does not exist.

/// The known name nearest to `given`, where one is near enough to be meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('_', "-");
    let near = |name: &'a str| (distance(&given, name), name);
    let (steps, name) = known.into_iter().map(near).min()?;
    (steps <= 1 + given.chars().count() / 4).then_some(name)
}

/// The advice for a name that does not exist: the nearest one, or where to find them all.
pub fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(given, known).map_or_else(|| otherwise.into(), |name| format!("did you mean `{name}`?"))
}

/// Insertions, deletions, replacements and exchanges of neighbours that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_mended_and_other_words_are_not() {
        let known = ["manifold-entropy", "total-entropy", "total-correlation", "log-volume"];
        assert_eq!(nearest("manifold_entrpoy", known), Some("manifold-entropy"));
        assert_eq!(nearest("total-corelation", known), Some("total-correlation"));
        assert_eq!(nearest("fid", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
