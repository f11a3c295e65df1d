//! Did you mean …: the name closest to one that does not exist.

use latlas::estimators::edit_distance;

/// The known name nearest to `given`, where one is near enough to be meant.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('_', "-");
    let near = |name: &'a str| (edit_distance(&given, name), name);
    let (steps, name) = known.into_iter().map(near).min()?;
    (steps <= 1 + given.chars().count() / 4).then_some(name)
}

/// The advice for a name that does not exist: the nearest one, or where to find them all.
pub fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    nearest(given, known).map_or_else(|| otherwise.into(), |name| format!("did you mean `{name}`?"))
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
    }
}
