//! Parameters of closed forms as text: `c=2:d=3`.

use ndarray::Array2;

use super::{ClosedForm, Entry, TABLE};
use crate::error::{Error, Result};

/// The most latents of a closed form.
const MOST_LATENTS: usize = 4096;

/// Something that can be set.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// What stands before the `=`.
    pub name: &'static str,
    /// The value where none is given.
    pub default: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// The values of all parameters of one closed form.
#[derive(Debug, Clone)]
pub struct Values {
    id: &'static str,
    texts: Vec<(&'static str, String)>,
}

fn fault(what: String, hint: impl Into<String>) -> Error {
    Error::Input { what, hint: Some(hint.into()) }
}

impl ClosedForm {
    /// The closed form that a name means: `banana`, `banana:c=2` (what follows `builtin:`).
    ///
    /// # Errors
    /// [`Error::Input`] for an unknown name or parameter, or a value out of range.
    pub fn named(name: &str) -> Result<Self> {
        let (id, settings) = name.split_once(':').unwrap_or((name, ""));
        let entry = TABLE.iter().find(|entry| entry.id == id);
        let known = || TABLE.iter().map(|entry| entry.id).collect::<Vec<_>>().join(", ");
        let entry = entry.ok_or_else(|| fault(format!("there is no closed form {id:?}"), format!("there are {}", known())))?;
        let values = Values::parse(entry, settings)?;
        Ok(Self::new(format!("builtin:{name}"), (entry.make)(&values)?))
    }
}

impl Values {
    fn parse(entry: &Entry, settings: &str) -> Result<Self> {
        let mut texts: Vec<_> = entry.parameters.iter().map(|p| (p.name, p.default.to_string())).collect();
        for setting in settings.split(':').filter(|setting| !setting.is_empty()) {
            let known = entry.parameters.iter().map(|p| format!("{}={}", p.name, p.default)).collect::<Vec<_>>().join(":");
            let hint = format!("with the defaults it is builtin:{}:{known}", entry.id);
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| fault(format!("builtin:{}: {setting:?} is no parameter, expected NAME=VALUE", entry.id), hint.clone()))?;
            let slot = texts.iter_mut().find(|(known, _)| *known == name);
            let slot = slot.ok_or_else(|| fault(format!("builtin:{} has no parameter {name:?}", entry.id), hint))?;
            slot.1 = value.to_string();
        }
        Ok(Self { id: entry.id, texts })
    }

    fn text(&self, name: &str) -> &str {
        self.texts.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }

    /// The error of a value that cannot be.
    pub(super) fn wrong(&self, name: &str, expected: &str) -> Error {
        fault(format!("builtin:{}: {name}={} is not {expected}", self.id, self.text(name)), format!("{name} must be {expected}"))
    }

    /// A finite number.
    pub(super) fn number(&self, name: &str) -> Result<f64> {
        let number = self.text(name).parse().ok().filter(|x: &f64| x.is_finite());
        number.ok_or_else(|| self.wrong(name, "a number"))
    }

    /// A number above zero.
    pub(super) fn positive(&self, name: &str) -> Result<f64> {
        self.number(name).ok().filter(|x| *x > 0.0).ok_or_else(|| self.wrong(name, "a number above 0"))
    }

    /// A number of latents, at least `least`.
    pub(super) fn latents(&self, name: &str, least: usize) -> Result<usize> {
        let count = self.text(name).parse().ok().filter(|d| (least..=MOST_LATENTS).contains(d));
        count.ok_or_else(|| self.wrong(name, &format!("a whole number from {least} to {MOST_LATENTS}")))
    }

    /// A matrix, written row by row: `1,0/0,1`.
    pub(super) fn matrix(&self, name: &str) -> Result<Array2<f64>> {
        let wrong = || self.wrong(name, "a matrix of numbers, written row by row as 1,0/0,1");
        let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite());
        let rows = self.text(name).split('/').map(|row| row.split(',').map(number).collect::<Option<Vec<f64>>>());
        let rows = rows.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let columns = rows.first().map_or(0, Vec::len);
        Array2::from_shape_vec((rows.len(), columns), rows.concat())
            .ok()
            .filter(|_| rows.iter().all(|r| r.len() == columns))
            .ok_or_else(wrong)
    }
}
