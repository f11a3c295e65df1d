//! A set of codes that a context shares with whoever holds a copy of it.

use std::ops::Deref;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CodeSet, Given};
use crate::error::Result;
use crate::settings::Settings;

/// A set together with what it was made from, which alone is saved.
#[derive(Debug, Clone)]
pub struct SharedCodes {
    given: Arc<Given>,
    settings: Settings,
    set: Arc<CodeSet>,
}

impl SharedCodes {
    /// From what was given.
    ///
    /// # Errors
    /// Those of [`CodeSet::new`].
    pub fn new(given: Given, settings: &Settings) -> Result<Self> {
        let set = CodeSet::new(&given, settings)?;
        Ok(Self { given: Arc::new(given), settings: settings.clone(), set: Arc::new(set) })
    }
}

impl Deref for SharedCodes {
    type Target = CodeSet;

    fn deref(&self) -> &CodeSet {
        &self.set
    }
}

impl PartialEq for SharedCodes {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.set, &other.set) || self.settings == other.settings && self.given == other.given
    }
}

impl Serialize for SharedCodes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (&*self.given, &self.settings).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedCodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let (given, settings) = <(Given, Settings)>::deserialize(deserializer)?;
        Self::new(given, &settings).map_err(D::Error::custom)
    }
}
