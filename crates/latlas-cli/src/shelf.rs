//! Arrays and models in memory, under the names that stand for them on a command line: a front end that has no files puts them
//! here and writes `given:NAME` where the terminal has a path.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use latlas::data::{self, Table};
use latlas::error::Result;
use latlas::models::{OnnxDecoder, OnnxEncoder};
use latlas::run::Dtype;

/// What is in memory; empty for the terminal.
#[derive(Default)]
pub struct Shelf {
    tables: BTreeMap<String, Table>,
    decoders: BTreeMap<String, Arc<OnnxDecoder>>,
    encoders: BTreeMap<String, Arc<OnnxEncoder>>,
}

impl Shelf {
    /// Puts an array there and tells the word for it.
    pub fn put_table(&mut self, name: &str, table: Table) -> String {
        let word = word(name);
        self.tables.insert(word.clone(), table);
        word
    }

    /// Puts a decoder there and tells the word for it.
    pub fn put_decoder(&mut self, name: &str, decoder: Arc<OnnxDecoder>) -> String {
        let word = word(name);
        self.decoders.insert(word.clone(), decoder);
        word
    }

    /// Puts an encoder there and tells the word for it.
    pub fn put_encoder(&mut self, name: &str, encoder: Arc<OnnxEncoder>) -> String {
        let word = word(name);
        self.encoders.insert(word.clone(), encoder);
        word
    }

    /// The array that a word stands for: one that is here, a file, or one that ships with the program.
    pub fn read(&self, spec: &str) -> Result<Cow<'_, Table>> {
        self.tables.get(spec).map_or_else(|| data::read(spec).map(Cow::Owned), |table| Ok(Cow::Borrowed(table)))
    }

    /// The decoder that is here under a word, in a number type.
    pub fn decoder(&self, spec: &str, dtype: Dtype) -> Result<Option<Arc<OnnxDecoder>>> {
        self.decoders
            .get(spec)
            .map(|known| if known.dtype() == dtype { Ok(Arc::clone(known)) } else { known.in_type(dtype).map(Arc::new) })
            .transpose()
    }

    /// The encoder that is here under a word, in a number type.
    pub fn encoder(&self, spec: &str, dtype: Dtype) -> Option<Arc<OnnxEncoder>> {
        self.encoders.get(spec).map(|known| if known.dtype() == dtype { Arc::clone(known) } else { Arc::new(known.in_type(dtype)) })
    }
}

fn word(name: &str) -> String {
    format!("{GIVEN}{name}")
}

/// What words for things in memory begin with.
pub const GIVEN: &str = "given:";
