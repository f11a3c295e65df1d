//! Caveats: what a reader should know before trusting a number. Ids are stable and have a page each.

use serde::{Deserialize, Serialize};

/// A caveat that was raised for an estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caveat {
    /// Stable id, the key of its page.
    pub id: String,
    /// What it means here, with numbers.
    pub message: String,
}

impl Caveat {
    /// A caveat from the table with its message for this case.
    pub fn new(id: &str, message: impl Into<String>) -> Self {
        debug_assert!(PAGES.iter().any(|p| p.id == id), "caveat {id} has no page");
        Self { id: id.into(), message: message.into() }
    }
}

/// The page of a caveat: what `latlas explain` prints.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Stable id.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// What it means, why it happens, what to do.
    pub text: &'static str,
}

/// All caveats.
pub const PAGES: &[Page] = &[
    Page {
        id: "kink-at-relu",
        title: "The decoder is not smooth everywhere",
        text: "ReLU, absolute values, maxima and the like give a derivative that jumps. Jacobians take the branch in use; they are exact on each smooth piece. Second derivatives vanish there almost everywhere, and finite differences across a kink are wrong. Where geometry needs smoothness, train with a smooth activation (softplus, GELU, tanh).",
    },
    Page {
        id: "dead-column",
        title: "A latent direction moves nothing at some points",
        text: "The column of the Jacobian that belongs to this latent is exactly zero at some samples, so its log length is minus infinity there. The entropy is reported as minus infinity, together with the share of dead samples and the mean over the live ones. A latent that is dead everywhere is not used by the decoder.",
    },
    Page {
        id: "unresolved-parallel",
        title: "Some latent directions cannot be told apart at some points",
        text: "Two columns of the Jacobian, or the spans of two groups of them, are parallel within the accuracy of the Jacobian: the sine of their angle is below four times its relative error. Their mutual information is infinite there, or too large to resolve. Such samples are counted for the pair and left out of its mean; the mean squared cosine and the median keep them. --dtype f64 resolves smaller angles.",
    },
    Page {
        id: "rank-deficient",
        title: "The Jacobian loses rank at some points",
        text: "Two or more latent directions move the output along the same line, so the volume that the latent space spans there is zero and its logarithm minus infinity. Such samples are counted and left out of volumes; lengths of single columns stay valid.",
    },
    Page {
        id: "undefined-core",
        title: "The decoder is not defined for some cores",
        text: "To reconstruct a sample from a core of its latents, the others are set to the prior's mean. There the decoder gave a value that is not finite, as a map with a pole does. Such samples are left out of the error of that core only.",
    },
    Page {
        id: "too-few-samples",
        title: "Few samples: the uncertainty is itself uncertain",
        text: "Standard errors come from the spread over samples. With fewer than about 30 of them the normal interval is too narrow. Raise --samples or give more latents.",
    },
    Page {
        id: "fewer-samples",
        title: "The number of samples was lowered to keep the run short",
        text: "A full run would take more operations than the report allows itself. The number of samples was lowered from the model's operation count, never from a clock, so the same command gives the same numbers everywhere. Give --samples to decide yourself.",
    },
    Page {
        id: "dropped-samples",
        title: "Some samples could not be used",
        text: "Samples with non-finite values or other faults are counted by reason and left out of the quantities that they spoil. Nothing is clamped or replaced.",
    },
    Page {
        id: "off-prior-latents",
        title: "The latents do not look like draws from the declared prior",
        text: "Entropies of the model are averages under its prior. The given or encoded latents differ from the declared prior in mean, spread or correlation, so the averages belong to another distribution: read them as cross-entropies, or declare the right prior.",
    },
    Page {
        id: "mixed-instruction-sets",
        title: "Parts of this result were computed on different instruction sets",
        text: "On one instruction set any number of threads and shards gives the same bits. These shards came from different ones, so the last bits may differ from a run on a single machine. LATLAS_ISA pins one.",
    },
    Page {
        id: "no-prior-density",
        title: "The prior's density is not known",
        text: "Latents were drawn from given rows, or are not known at all, so the prior's part of the entropies, E[-log p(z)], cannot be found. Values are the geometric part alone: mean log lengths and log volumes. Differences between latents of equal spread stay meaningful. Declare a prior with a density (normal, uniform, diagonal, mixture) to get entropies.",
    },
    Page {
        id: "constant-code",
        title: "Some codes are constant",
        text: "A code that takes one value in the evaluated rows carries nothing. Under the preset study-2019 it stays and lowers what is averaged over codes, as published; under the preset latlas it is left out first.",
    },
    Page {
        id: "collapsed-code",
        title: "Some codes hardly vary",
        text: "The standard deviation is below 0.05, or the range is less than a twentieth of the widest. Scores that look at scale (FactorVAE, the linear machine, the logistic ladder) treat it as unused; information does not.",
    },
    Page {
        id: "constant-factor",
        title: "Some factors are constant",
        text: "A factor with one value in the evaluated rows cannot be told by anything. Scores that divide by its entropy leave it out; under the preset latlas all do.",
    },
    Page {
        id: "duplicate-codes",
        title: "Some codes repeat each other",
        text: "Two codes with a correlation of one share all information, so the gap between best and second best is zero and importances are not unique. Values with repeats merged stand beside.",
    },
    Page {
        id: "single-code",
        title: "There is one code only",
        text: "Gaps to the second best code count from zero, and completeness is one as soon as anything is important.",
    },
    Page {
        id: "single-factor",
        title: "There is one factor only",
        text: "Scores that ask whether a code holds one factor alone have nothing to compare with: they are one as soon as anything is found.",
    },
    Page {
        id: "binned-factor",
        title: "A continuous factor was cut into bins",
        text: "Where classes are needed, a continuous factor is cut into 20 bins of equal width. R² uses its values as they are.",
    },
    Page {
        id: "factors-dependent",
        title: "The factors are not independent",
        text: "Some pair of factors shares more information than chance allows, so a code that holds one of them says something of the other. Gaps are then smaller than one even for perfect codes.",
    },
    Page {
        id: "biased-at-this-n",
        title: "So few rows bias the information",
        text: "Counts in the cells are too few: plug-in information is too large by about (bins − 1)(values − 1)/2n. Corrected values stand beside; give more rows.",
    },
    Page {
        id: "saturated",
        title: "The score cannot rise any further",
        text: "Above 0.995 the score no longer tells good representations from better ones.",
    },
    Page {
        id: "not-full-grid",
        title: "Batches come from rows, not from a full grid",
        text: "Batches with a factor held fixed were drawn, with replacement, from rows that happen to share its value. Other factors then follow the rows' own distribution. Give a table of codes for the whole grid to be exact.",
    },
    Page {
        id: "importance-not-unique",
        title: "Importances are not unique",
        text: "Codes that repeat each other could be swapped in every tree. Here the first of them takes it all; the value with repeats merged stands beside.",
    },
    Page {
        id: "not-comparable-across-l",
        title: "Not comparable across numbers of codes",
        text: "The entropy of each factor's importances is taken in base L, the number of codes, so the same picture with more unused codes gives another value.",
    },
    Page { id: "class-missing-in-test", title: "Some classes have no test row", text: "What needs test rows of a class leaves these out." },
    Page { id: "class-missing-in-train", title: "Some classes have no row to learn from", text: "Their test rows can only be errors." },
    Page {
        id: "not-converged",
        title: "A fit stopped before it reached its tolerance",
        text: "The iterations allowed were used up. The value is that of the last iterate.",
    },
    Page {
        id: "singular-covariance",
        title: "The covariance of the codes is singular",
        text: "Some code is a linear function of others, so the Gaussian total correlation is infinite. The value over a largest independent set of codes stands beside.",
    },
    Page {
        id: "saturates-at-ln-n",
        title: "The information estimate is near its ceiling",
        text: "With n rows in the mixture, I(x; z) cannot be estimated beyond ln n. The estimate that leaves out each row's own component errs to the other side; the truth lies between.",
    },
    Page {
        id: "subsampled-rows",
        title: "Learners saw a sample of the rows",
        text: "Fits take at most 10,000 rows to learn from and 5,000 to test with, a random sample that depends on the seed alone.",
    },
    Page {
        id: "few-batches",
        title: "Few rows share a factor's value",
        text: "Batches of 64 were drawn from groups of fewer rows, so the same rows come again and again.",
    },
];
