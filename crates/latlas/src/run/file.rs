//! States as files: `LATLASST`, a schema number, the digest of the rest, the rest in postcard's format.
//!
//! A file is not trusted: its size is bounded, its digest checked, and everything in it validated before use.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::{Header, Partial, Selection, State};
use crate::accumulators::{Covariance, Ordered};
use crate::data::write_whole;
use crate::error::{Error, Result};
use crate::estimators;
use crate::invariants::Laws;

/// The form of a file with one state.
const SEALED: Sealed = Sealed { magic: *b"LATLASST", schema: 1 };
/// The largest file that is read.
const LARGEST: u64 = 1 << 30;
const PREAMBLE: usize = 8 + 4 + 32;

/// What a file begins with: who wrote it in which form; the digest of the rest follows.
pub(super) struct Sealed {
    pub magic: [u8; 8],
    pub schema: u32,
}

impl Sealed {
    /// Content with its preamble.
    pub fn close(&self, content: &impl Serialize) -> Result<Vec<u8>> {
        let content = postcard::to_stdvec(content).map_err(|e| damaged(&format!("it cannot be written: {e}")))?;
        let digest = Sha256::digest(&content);
        Ok([&self.magic[..], &self.schema.to_le_bytes(), &digest, &content].concat())
    }

    /// Whether bytes begin like a file of this form.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(&self.magic)
    }

    /// The content, if nothing of it was changed.
    pub fn open<T: for<'a> Deserialize<'a>>(&self, bytes: &[u8]) -> Result<T> {
        if bytes.len() as u64 > LARGEST {
            return Err(damaged(&format!("it is larger than {LARGEST} bytes")));
        }
        let Some((preamble, content)) = bytes.split_at_checked(PREAMBLE).filter(|_| self.is_of(bytes)) else {
            return Err(damaged("it is not a state"));
        };
        if preamble[8..12] != self.schema.to_le_bytes() {
            return Err(damaged("it was written by another version of Latlas"));
        }
        if preamble[12..] != Sha256::digest(content)[..] {
            return Err(damaged("its digest is wrong: it was cut off or changed"));
        }
        postcard::from_bytes(content).map_err(|_| damaged("its content is damaged"))
    }
}

/// Reads a file up to the limit; what is wrong with its content is told with its name.
pub(super) fn read<T>(path: &Path, from_bytes: impl Fn(&[u8]) -> Result<T>) -> Result<T> {
    let io = |source| Error::Io { action: "read", path: path.into(), source };
    let file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    from_bytes(&bytes).map_err(|error| match error {
        Error::State { what, hint } => Error::State { what: format!("{}: {what}", path.display()), hint },
        other => other,
    })
}

#[derive(Serialize, Deserialize)]
struct Payload {
    header: Header,
    nodes: Vec<Node>,
}

/// Some neighbouring chunks: those that [`Ordered`] calls (level, index).
#[derive(Serialize, Deserialize)]
struct Node {
    level: u8,
    index: u64,
    states: Vec<Vec<u8>>,
    laws: Laws,
    latents: Covariance,
}

impl State {
    /// As bytes.
    ///
    /// # Errors
    /// A state that cannot be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut nodes = Vec::new();
        for ((level, index), partial) in self.chunks.nodes() {
            let states = self.selection.iter().zip(&partial.states).map(|((_, e), state)| e.save(state)).collect::<Result<_>>()?;
            nodes.push(Node { level, index, states, laws: partial.laws.clone(), latents: partial.latents.clone() });
        }
        SEALED.close(&Payload { header: self.header.clone(), nodes })
    }

    /// Writes the state to a file; the file appears whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.to_bytes()?)
    }

    /// Reads a state from a file.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, damaged, or of another version.
    pub fn load(path: &Path) -> Result<Self> {
        read(path, Self::from_bytes)
    }

    /// From bytes, which are not trusted.
    ///
    /// # Errors
    /// Bytes that are too many, damaged, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Payload { header, nodes }: Payload = SEALED.open(bytes)?;
        if header.version != env!("CARGO_PKG_VERSION") {
            let (theirs, ours) = (&header.version, env!("CARGO_PKG_VERSION"));
            return Err(damaged(&format!("it was written by Latlas {theirs:.40?}, this is {ours}")));
        }
        header.validate()?;
        let selection = Arc::new(estimators::select(&header.ids, &header.context)?);
        if selection.len() != header.ids.len() {
            return Err(damaged("it names an estimator twice"));
        }
        header.validate_nodes(&nodes)?;
        let mut chunks = Ordered::default();
        for node in nodes {
            let key = (node.level, node.index);
            chunks.insert_node(key, node.into_partial(&selection)?);
        }
        Ok(Self { header, selection, chunks })
    }
}

impl Node {
    fn into_partial(self, selection: &Arc<Selection>) -> Result<Partial> {
        if self.states.len() != selection.len() {
            return Err(damaged("it has another number of estimators than it names"));
        }
        let states = selection.iter().zip(&self.states).map(|((_, estimator), bytes)| estimator.load(bytes)).collect::<Result<_>>()?;
        Ok(Partial { selection: Arc::clone(selection), states, laws: self.laws, latents: self.latents })
    }

    /// First chunk and one past the last.
    fn chunks(&self) -> Option<(u128, u128)> {
        let start = u128::from(self.index).checked_shl(u32::from(self.level)).filter(|_| self.level < 64)?;
        Some((start, start + (1 << self.level)))
    }
}

impl Header {
    /// Sizes that no computation can trip over.
    fn validate(&self) -> Result<()> {
        const MANY: usize = 1 << 40;
        let context = &self.context;
        // A run over codes alone has no model and no samples.
        let is_without_model = context.codes.is_some() && (context.latent_dim, context.ambient_dim, context.n_samples) == (0, 0, 0);
        let model = (1..=1 << 24).contains(&context.latent_dim)
            && (1..MANY).contains(&context.ambient_dim)
            && (1..MANY).contains(&context.n_samples);
        let sizes = (model || is_without_model)
            && (1..MANY).contains(&self.chunk)
            && (1..=1 << 20).contains(&self.shards)
            && self.ids.len() <= 1000
            && context.others.len() <= 64
            && context.others.iter().all(|d| (1..=1 << 24).contains(d))
            && context.other_sets.len() == context.others.len()
            && context.prior.dim().is_none_or(|dim| dim == context.latent_dim)
            && context.settings.level > 0.0
            && context.settings.level < 1.0;
        let prior = context.prior.clone();
        let prior = matches!(prior, crate::samples::Prior::Empirical { .. }) || prior.checked("prior").is_ok();
        let in_range = |(shard, next): (&usize, &usize)| {
            *shard < self.shards && (self.chunks_of(*shard).start..=self.chunks_of(*shard).end).contains(next)
        };
        let groups = [&context.sets, &context.partition];
        let latents = groups.into_iter().flatten().flatten().chain(&context.order.latents).all(|i| *i < context.latent_dim);
        let of_others = context.other_sets.iter().zip(&context.others);
        let latents = latents && of_others.flat_map(|(sets, d)| sets.iter().flatten().map(move |i| i < d)).all(|inside| inside);
        let order: BTreeSet<&usize> = context.order.latents.iter().collect();
        let order = order.is_empty() || order.len() == context.latent_dim && context.order.latents.len() == context.latent_dim;
        let order = order && (context.code_spread.is_empty() || context.code_spread.len() == context.latent_dim);
        if sizes && prior && latents && order && self.done.iter().all(in_range) {
            Ok(())
        } else {
            Err(damaged("its header is out of range"))
        }
    }

    /// The nodes cover what is said to be done, each chunk once.
    fn validate_nodes(&self, nodes: &[Node]) -> Result<()> {
        let mut covered = BTreeSet::new();
        for node in nodes {
            covered.insert(node.chunks().ok_or_else(|| damaged("a node is out of range"))?);
        }
        let disjoint = covered.len() == nodes.len() && covered.iter().zip(covered.iter().skip(1)).all(|(a, b)| a.1 <= b.0);
        let inside = covered.iter().all(|node| {
            // Neighbouring shards make one run of chunks, so look for each chunk's own shard at both ends.
            node.1 <= self.chunks() as u128
        });
        let done: u128 = self.done.iter().map(|(shard, next)| (next - self.chunks_of(*shard).start) as u128).sum();
        let total: u128 = covered.iter().map(|(start, end)| end - start).sum();
        if disjoint && inside && total == done { Ok(()) } else { Err(damaged("its chunks are not those that it says are done")) }
    }
}

pub(super) fn damaged(what: &str) -> Error {
    Error::State { what: what.into(), hint: Some("run the shard again".into()) }
}
