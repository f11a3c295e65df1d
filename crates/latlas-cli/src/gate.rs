//! Gates: conditions on the numbers that decide the exit code, for use in a pipeline.

use latlas::estimate::Value;
use latlas::report::Report;

use crate::failure::{Failure, Outcome};
use crate::suggest;

/// A condition such as `total-correlation < 3.2`, `manifold-entropy[0] > 1`, `invariants` or the id of one invariant.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    text: String,
    left: Left,
}

#[derive(Debug, Clone, PartialEq)]
enum Left {
    Invariants,
    Invariant(String),
    Comparison { id: String, index: Option<usize>, order: Order, bound: f64 },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl std::str::FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |what: &str| format!("{what}; write `ID < NUMBER`, `ID[INDEX] >= NUMBER`, `invariants` or the id of an invariant");
        let Some(at) = text.find(['<', '>']) else {
            let is_id = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            let left = match text {
                "invariants" => Left::Invariants,
                _ if is_id => Left::Invariant(text.into()),
                _ => return Err(wrong("there is no comparison in it")),
            };
            return Ok(Self { text: text.into(), left });
        };
        let (name, rest) = text.split_at(at);
        let (order, bound) = match (rest.strip_prefix("<="), rest.strip_prefix(">="), rest.strip_prefix('<'), rest.strip_prefix('>')) {
            (Some(bound), ..) => (Order::LessOrEqual, bound),
            (_, Some(bound), ..) => (Order::GreaterOrEqual, bound),
            (_, _, Some(bound), _) => (Order::Less, bound),
            (.., bound) => (Order::Greater, bound.unwrap_or("")),
        };
        let bound: f64 = bound.trim().parse().map_err(|_| wrong(&format!("{:?} is not a number", bound.trim())))?;
        let (id, index) = match name.trim().split_once('[') {
            None => (name.trim(), None),
            Some((id, index)) => {
                let index = index.strip_suffix(']').and_then(|digits| digits.trim().parse().ok());
                (id.trim(), Some(index.ok_or_else(|| wrong("the index is not a number in brackets"))?))
            }
        };
        if id.is_empty() || bound.is_nan() {
            return Err(wrong("one side is missing"));
        }
        Ok(Self { text: text.into(), left: Left::Comparison { id: id.replace('_', "-"), index, order, bound } })
    }
}

impl Gate {
    /// What does not hold, in words; nothing when the gate does.
    fn broken(&self, report: &Report) -> Outcome<Option<String>> {
        let Self { text, left } = self;
        let names = |what: &str, given: &str, known: Vec<&str>| {
            let listed = known.join(", ");
            Failure::usage(
                format!("gate `{text}`: this run has no {what} `{given}`"),
                suggest::hint(given, known, &format!("there is {listed}")),
            )
        };
        match left {
            Left::Invariants => {
                let broken: Vec<_> = report.invariants.iter().filter(|i| !i.holds).map(|i| i.id.as_str()).collect();
                Ok((!broken.is_empty()).then(|| format!("gate `invariants` does not hold: {}", broken.join(", "))))
            }
            Left::Invariant(id) => {
                let known = || report.invariants.iter().map(|i| i.id.as_str()).collect();
                let found = report.invariants.iter().find(|i| i.id == *id).ok_or_else(|| names("invariant", id, known()))?;
                Ok((!found.holds).then(|| format!("gate `{id}` does not hold: worst {}, tolerance {}", found.worst, found.tolerance)))
            }
            Left::Comparison { id, index, order, bound } => {
                let known = || report.estimates.iter().map(|e| e.id.as_str()).collect();
                let found = report.estimate(id).ok_or_else(|| names("estimate", id, known()))?;
                let entries = entries(&found.value);
                let chosen = match index {
                    None => &entries[..],
                    Some(index) => entries.get(*index..=*index).ok_or_else(|| {
                        Failure::usage(format!("gate `{text}`: {id} has {} entries", entries.len()), "indices count from 0")
                    })?,
                };
                let worst = chosen.iter().find(|&&value| !order.holds(value, *bound));
                Ok(worst.map(|value| format!("gate `{text}` does not hold: {id} is {value}")))
            }
        }
    }
}

impl Order {
    // An undefined value fulfils nothing.
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
        }
    }
}

fn entries(value: &Value) -> Vec<f64> {
    match value {
        Value::Scalar(value) => vec![*value],
        Value::Vector(values) => values.clone(),
        Value::Matrix(rows) => rows.concat(),
    }
}

/// Fails with every gate that does not hold.
pub fn check(gates: &[Gate], report: &Report) -> Outcome {
    let mut broken = Vec::new();
    for gate in gates {
        broken.extend(gate.broken(report)?);
    }
    if broken.is_empty() { Ok(()) } else { Err(Failure::Gates(broken)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_in_all_their_forms() {
        let gate = |text: &str| text.parse::<Gate>();
        let comparison = |id: &str, index, order, bound| Left::Comparison { id: id.into(), index, order, bound };
        assert_eq!(gate("total_correlation < 3.2").map(|g| g.left), Ok(comparison("total-correlation", None, Order::Less, 3.2)));
        assert_eq!(gate("a[2]>=-1e-3").map(|g| g.left), Ok(comparison("a", Some(2), Order::GreaterOrEqual, -1e-3)));
        assert_eq!(gate("invariants").map(|g| g.left), Ok(Left::Invariants));
        assert_eq!(gate("hadamard").map(|g| g.left), Ok(Left::Invariant("hadamard".into())));
        for wrong in ["", "a <", "< 3", "a[x] < 1", "a = 3", "a < nan", "a b"] {
            assert!(gate(wrong).is_err(), "{wrong}");
        }
    }
}
