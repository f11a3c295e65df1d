//! The invariants in words: what each means, and what it means if it fails.

/// An invariant in words.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Its stable id.
    pub id: &'static str,
    /// What holds if the numbers are right.
    pub holds: &'static str,
    /// What may be wrong if it fails.
    pub fails: &'static str,
    /// Whether a failure puts the numbers themselves in doubt, or only their reading.
    pub spoils: bool,
}

/// Those that are known; others are shown by their id.
const TABLE: &[Law] = &[
    Law {
        id: "hadamard",
        holds: "The columns of the Jacobian are never shorter than the volume they span requires, at any sample.",
        fails: "lengths and volumes do not belong to the same matrix",
        spoils: true,
    },
    Law {
        id: "fischer",
        holds: "No core of latents shares less than nothing with the rest, at any sample.",
        fails: "volumes of groups of latents do not belong to the same matrix",
        spoils: true,
    },
    Law {
        id: "decomposition",
        holds: "Shared volumes agree with principal angles, and the whole volume comes out the same in two orders.",
        fails: "the Jacobian is too ill-conditioned for its volumes, or they are wrong",
        spoils: true,
    },
    Law {
        id: "finite-differences",
        holds: "Derivatives agree with differences of decoded points.",
        fails: "the derivative is not that of the decoder",
        spoils: true,
    },
    Law {
        id: "adjoint",
        holds: "Forward and reverse derivatives are transposes of each other.",
        fails: "one of the two modes of differentiation is wrong",
        spoils: true,
    },
    Law {
        id: "batch-independence",
        holds: "A sample is decoded alike alone and in company.",
        fails: "the decoder mixes samples, as batch normalisation left in training mode does",
        spoils: true,
    },
    Law {
        id: "repeatability",
        holds: "The same latent gives the same output twice.",
        fails: "something random is left in the decoder, such as dropout or sampled noise",
        spoils: true,
    },
    Law {
        id: "flow-log-det",
        holds: "The flow's own log-determinant is the log-volume of its Jacobian.",
        fails: "the log-determinant has the wrong sign or belongs to the other direction",
        spoils: true,
    },
    Law {
        id: "round-trip",
        holds: "Decoding and encoding again gives the latent back.",
        fails: "encoder and decoder are not inverses of each other",
        spoils: true,
    },
    Law {
        id: "latents-match-prior",
        holds: "The latents have the mean, spread and correlations of the declared prior.",
        fails: "averages belong to the latents given, not to the declared prior",
        spoils: false,
    },
];

/// The invariant with this id, in words.
pub fn law(id: &str) -> Option<&'static Law> {
    TABLE.iter().find(|law| law.id == id)
}
