"""Scores of codes as plain functions. Made from the table of estimators by `cargo dev generate`.

Each takes codes ``[n, L]`` and what else it scores them by, and gives a number (an array, where it has several), or the
whole :class:`latlas.Estimate` with ``return_estimate=True``. ``random_state`` keys what is drawn: an int, a NumPy
generator, or None for the fixed key 0. Further options are those of :func:`latlas.run`: ``preset="study-2019"``,
``factor_kinds``, ``test_codes`` ….
"""

from __future__ import annotations

from typing import Any

from latlas._score import score

__all__ = [
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "mig_sup",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "modularity",
    "explicitness",
    "sap_r2",
    "sap_svm",
    "irs",
    "logistic_ladder",
    "boosted_ladder",
    "logistic_efficiency",
    "boosted_efficiency",
    "gaussian_total_correlation",
    "gaussian_wasserstein",
    "mean_mutual_information",
    "aggregate_total_correlation",
    "elbo_decomposition",
    "rotation_attack",
]


def beta_vae_score(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""BetaVAE score.

    Unit accuracy; range 1/K (chance) to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    BetaVAE score: whether the fixed factor of two batches can be told from which codes agree.

        10,000 + 5,000 times: draw k; 64 pairs of rows, each pair sharing its own value of factor k
        feature = mean over pairs of |z − z'|;   value = test accuracy of a logistic regression from feature to k

    - Pairs come from the codes of a whole grid, or from rows that share a value (caveat `not-full-grid`).
    - Shape: scalar; `train`; `matrix` [L, K] is the mean of |z_l − z'_l| given a shared factor k, to which features shrink.
      Unit: accuracy. Range: 1/K (chance, `chance`) to 1.
    - Invariances: order of codes. Not scaling: features are not standardised.
    - Cost: 15,000 × 128 codes and one fit.
    - Bias: seldom below 1. With 64 pairs the features come close to K points, so the score tells apart little (`saturated`).
    - Standard error: binomial, over the test batches.

    References: Higgins, Matthey, Pal and others, beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
    Framework (2017). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("beta-vae-score", random_state, return_estimate, codes=codes, factors=factors, **options)


def factor_vae_score(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""FactorVAE score.

    Unit accuracy; range 0 to 1, 1/K by chance.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    FactorVAE score: whether the factor that a batch shares can be told from the code that varies least.

        10,000 + 5,000 times: draw k and 64 rows that share a value of factor k
        vote: the code with the smallest variance in the batch relative to its variance over all rows, for factor k
        value = share of test votes whose factor is the one that most training votes gave to their code

    - Only codes with a standard deviation of at least 0.05 vote (`active_codes`); with none the score is 0. Rows come from
      the codes of a whole grid, or from rows that share a value (caveat `not-full-grid`).
    - Shape: scalar; `matrix` [L, K] of test votes under the codes' own numbers. Unit: accuracy. Range: 0 to 1, 1/K by chance.
    - Invariances: order of codes, scaling of a code that stays active.
    - Cost: 15,000 × 64 codes.
    - Bias: blind to small turns: two codes turned by 20° still score 1. Codes that repeat each other: the first votes.
    - Standard error: binomial, over the test batches.

    References: Kim and Mnih, Disentangling by Factorising (2018). Locatello and others, Challenging Common Assumptions in the
    Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("factor-vae-score", random_state, return_estimate, codes=codes, factors=factors, **options)


def mig(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Mutual information gap.

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Mutual information gap: how much more the best code knows of a factor than the second best.

        MIG = mean over k of (I(z_best; y_k) − I(z_second; y_k)) / H(y_k)

    - Codes are cut into 20 bins of equal width; I and H from joint counts, corrected for bias (preset latlas) or plug-in
      (study-2019). The value of the other convention stands in `plug_in` or `corrected`.
    - Shape: scalar; `per_factor` [K], `best_code` [K], `matrix` [L, K] of information. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows and codes, names of values, positive scaling of a code.
    - Cost: one pass of counts, n·L·K.
    - Bias: plug-in information is too large at small n, and more so for the second best code, which lowers the gap. Bins
      follow the extremes of a code: one outlier moves all of them.
    - Standard error: delta method at fixed bins.
    - Codes that repeat each other have a gap of 0; `merged_repeats` is the value without the repeats.

    References: Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement in Variational Autoencoders (2018).
    Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("mig", random_state, return_estimate, codes=codes, factors=factors, **options)


def mig_sup(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Information gap of codes (MIG-sup).

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Supremum of the information gap: how much more a code knows of its best factor than of its second best.

        MIG-sup = mean over l of the gap between the two largest I(z_l; y_k) / H(y_k) over k

    The mutual information gap asks whether a factor sits in one code; this asks whether a code holds one factor.

    - Shape: scalar; `per_code` [L], `matrix` [L, K] of I/H. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows and codes, names of values, positive scaling of a code.
    - Cost: the counts of `mig`. Standard error: 100 sets of resampled rows.
    - Bias: as of `mig`. A constant code counts 0 (preset study-2019) or is left out (latlas).

    References: Li, Murphy, Sclaroff and others, Progressive Learning and Disentanglement of Hierarchical Representations (2020).
    """
    return score("mig-sup", random_state, return_estimate, codes=codes, factors=factors, **options)


def dci_disentanglement(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""DCI disentanglement.

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    DCI disentanglement: whether each code matters for one factor only.

        R[l,k] = importance of code l in boosted trees that predict factor k, columns summing to 1
        D = Σ_l w_l (1 − H_K(row l of R)),   w_l the share of row l

    - Trees: 100 rounds of depth 3, rate 0.1 (`method.builder` names how they find their splits); importance is the impurity
      that a code's splits remove. Entropies in base K, every entry raised by 1e-11.
    - Shape: scalar; `per_code` [L], `weights` [L], `matrix` [L, K]. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows, monotone maps of a code. Codes that repeat each other: the first takes all, which
      `merged_repeats` undoes.
    - Cost: 100 trees a class, shared with `dci-completeness`, `dci-informativeness` and the boosted ladder.
    - Bias: noise codes take a small share of importance. Histogram splits give a lower D where classes overlap and rows are
      few (by 0.03 at 6,000 rows), since exact ones single out rows. Standard error: refits on five thinned sets.

    References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).
    Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("dci-disentanglement", random_state, return_estimate, codes=codes, factors=factors, **options)


def dci_completeness(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""DCI completeness.

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    DCI completeness: whether each factor is held by one code only.

        R[l,k] = importance of code l in boosted trees that predict factor k, columns summing to 1
        C = Σ_k w_k (1 − H_L(column k of R)),   w_k the share of column k

    - The trees of `dci-disentanglement`. Entropies in base L, every entry raised by 1e-11.
    - Shape: scalar; `per_factor` [K]. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows, monotone maps of a code. Not adding unused codes: the base grows.
    - Cost: none beside `dci-disentanglement`. Standard error: refits on five thinned sets.
    - Bias: noise codes take a small share of importance.

    References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).
    """
    return score("dci-completeness", random_state, return_estimate, codes=codes, factors=factors, **options)


def dci_informativeness(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""DCI informativeness.

    Unit accuracy; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    DCI informativeness: how well boosted trees on all codes predict the factors.

        mean over factors of the test accuracy

    - The trees of `dci-disentanglement`. This is an accuracy; the paper's own quantity is a normalised error. The accuracy
      on the training rows stands in `train` and must not be taken for it.
    - Shape: scalar; `per_factor` [K], `majority` [K] (what guessing the most common value gives). Unit: accuracy.
      Range: 0 to 1.
    - Invariances: order of rows and values, monotone maps of a code.
    - Cost: none beside `dci-disentanglement`.
    - Bias: few rows to learn from lower it. Standard error: five thinned sets, and the binomial part of the test rows.

    References: Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled Representations (2018).
    """
    return score("dci-informativeness", random_state, return_estimate, codes=codes, factors=factors, **options)


def modularity(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Modularity.

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Modularity: whether each code shares information with one factor only.

        per code, m = max_k I²:   1 − (Σ_k I² − m)/(m (K − 1)),   0 where m = 0

    - Preset study-2019: plug-in information, the mean over all codes. Preset latlas: corrected information, the mean over
      codes that know some factor significantly (G-test, p < 0.01/(L K)); in plug-in information bias alone fills the row of
      a noise code in proportion to the numbers of values, and such a code scores high.
    - Shape: scalar; `per_code` [L], `significant_codes`. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows and codes, names of values, positive scaling of a code.
    - Cost: the counts of `mig`. Standard error: 100 sets of resampled rows.
    - Bias: see above. It does not see codes that repeat each other, and barely sees mixing. With one factor it is 1 where
      the code is significant.

    References: Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018).
    Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("modularity", random_state, return_estimate, codes=codes, factors=factors, **options)


def explicitness(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Explicitness.

    Unit 1; range 0.5 (chance) to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Explicitness: how well a linear classifier on all codes ranks each value of a factor.

        mean over factors of the mean over values of AUC(P(y_k = u | z)) on test rows

    - One logistic regression (C = 1) for each factor, on codes standardised by the training rows; AUC of one value against
      the rest, ties counting ½.
    - Shape: scalar; `per_factor` [K], `train`. Unit: 1. Range: 0.5 (chance) to 1.
    - Invariances: order of rows, codes and values; affine maps of a code. Nearly unchanged by turns of the codes, which is
      why it stands beside modularity: one asks whether factors can be read, the other whether codes are pure.
    - Cost: one L-BFGS fit a factor. Standard error: five thinned sets.
    - Bias: few rows to learn from lower it.

    References: Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss (2018).
    """
    return score("explicitness", random_state, return_estimate, codes=codes, factors=factors, **options)


def sap_r2(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Separated attribute predictability, R².

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Separated attribute predictability, R² form: the gap between the two codes that say most of a factor linearly.

        SAP = mean over k of (largest − second largest over l of corr(z_l, y_k)²)

    - R² of training rows; 0 for a code that does not vary. A factor enters by its values, so it suits ordinal and continuous
      ones; for names see `sap-svm`. The order of two models can flip between both forms.
    - Shape: scalar; `per_factor` [K], `matrix` [L, K]. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows and codes, affine maps of a code or of a factor.
    - Cost: n·L·K. Standard error: 100 sets of resampled rows.
    - Bias: R² of independent columns is about 1/n. Links that are not linear are missed.

    References: Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts from Unlabeled
    Observations (2018). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("sap-r2", random_state, return_estimate, codes=codes, factors=factors, **options)


def sap_svm(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Separated attribute predictability, linear machine.

    Unit 1; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Separated attribute predictability, classifier form: the gap between the two codes from which a factor is told best.

        SAP = mean over k of (largest − second largest over l of the test accuracy of a linear machine on z_l alone)

    - A linear support-vector machine with squared hinge loss and C = 0.01, one class against the rest, codes unscaled.
    - Shape: scalar; `per_factor` [K], `matrix` [L, K] of accuracies. Unit: 1. Range: 0 to 1.
    - Invariances: order of rows and codes, names of values. Not scaling: the loss is weak, and a narrow code scores lower.
    - Cost: one sort of each code; Newton's method on sums over sorted rows.
    - Bias: it cannot pick out middle classes. A noise-free code of unit variance scores 1.00, 0.80, 0.20, 0.05 for 3, 5, 10,
      40 ordered values.
    - Standard error: five thinned sets, and the binomial part of the test rows.

    References: Kumar, Sattigeri and Balakrishnan, Variational Inference of Disentangled Latent Concepts from Unlabeled
    Observations (2018). Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("sap-svm", random_state, return_estimate, codes=codes, factors=factors, **options)


def irs(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Interventional robustness.

    Unit 1; range below 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Interventional robustness: how little a code moves while a factor keeps its value.

        dev_l = max |z_l − mean|;   IRS[l,k] = 1 − mean over values u of Q₉₉ |z_l − mean(z_l | y_k = u)| / dev_l
        IRS = Σ_l dev_l max_k IRS[l,k] / Σ_l dev_l

    - Q₉₉ is the 99 % quantile; `maximum_form` takes the largest deviation instead, as the paper does. Factors with more than
      20 values are cut into 20 bins; codes are used as they are, constant ones left out.
    - Shape: scalar; `per_code` [L], `matrix` [L, K]. Unit: 1. Range: below 1; noise gives about 0.36 at 10,000 rows, so read
      it beside its null.
    - Invariances: order of rows, codes and values; scaling all codes together. Not scaling one code, since weights follow.
    - Cost: n·L·K with a selection in each group. Standard error: 100 sets of resampled rows.
    - Bias: large for noise and for few rows a group. Weights favour codes with outliers; it conditions on one factor only.

    References: Suter, Miladinovic, Schölkopf and Bauer, Robustly Disentangled Causal Mechanisms (2019).
    """
    return score("irs", random_state, return_estimate, codes=codes, factors=factors, **options)


def logistic_ladder(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Downstream accuracy of logistic regression.

    Unit accuracy; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Downstream accuracy of logistic regression with few and many labels.

        accuracy(m) = mean over factors of the test accuracy of a fit to m labelled rows,   m = 10, 100, 1,000, 10,000

    - The penalty is the best of ten (1e-4 to 1e4) over five contiguous folds; codes are not scaled. Small sets are drawn ten
      times (1,000 rows: three times) without replacement, and the value is the mean over draws.
    - Shape: [4]; `minimum` [4] is the worst factor's, `majority` what guessing the most common value gives. Unit: accuracy.
      Range: 0 to 1. A size beyond the rows that are there is undefined; `all_rows` is the accuracy with all of them.
    - Invariances: order of codes and values; turns of the codes leave it nearly unchanged.
    - Cost: 51 L-BFGS fits for each factor, size and draw.
    - Bias: none for the draws; 10,000 rows are one draw. Standard errors join the spread of draws and the binomial part of
      the test rows. Predicting the generating factors themselves is a contrived task.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("logistic-ladder", random_state, return_estimate, codes=codes, factors=factors, **options)


def boosted_ladder(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Downstream accuracy of boosted trees.

    Unit accuracy; range 0 to 1.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Downstream accuracy of boosted trees with few and many labels.

        accuracy(m) = mean over factors of the test accuracy of a fit to m labelled rows,   m = 10, 100, 1,000, 10,000

    - The trees of `dci-informativeness`, whose fit is the one to all rows. Smaller sets are drawn ten
      times (1,000 rows: five times) without replacement, and the value is the mean over draws.
    - Shape: [4]; `minimum` [4] is the worst factor's, `majority` what guessing the most common value gives. Unit: accuracy.
      Range: 0 to 1. A size beyond the rows that are there is undefined; `all_rows` is the accuracy with all of them.
    - Invariances: order of values, monotone maps of a code.
    - Cost: 100 trees for each class, size and draw.
    - Bias: none for the draws; 10,000 rows are one draw. Standard errors join the spread of draws and the binomial part of
      the test rows. Predicting the generating factors themselves is a contrived task.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("boosted-ladder", random_state, return_estimate, codes=codes, factors=factors, **options)


def logistic_efficiency(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Sample efficiency of logistic regression.

    Unit 1; range above 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Sample efficiency of logistic regression: how much of its accuracy a hundred labels give.

        mean accuracy with 100 labels / mean accuracy with 10,000 labels

    - The ladder of `logistic-ladder`; with fewer than 10,000 rows the denominator is the accuracy with all of them
      (`all_rows`). The numerator is the mean over ten draws; `spread_of_draws` is what a single draw scatters by.
    - Shape: scalar. Unit: 1. Range: above 0, mostly below 1; undefined where nothing is ever right.
    - Invariances: order of codes and values. Cost: none beside the ladder.
    - Bias: with a harder task both accuracies fall, so a high ratio may mean that more labels do not help either.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("logistic-efficiency", random_state, return_estimate, codes=codes, factors=factors, **options)


def boosted_efficiency(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Sample efficiency of boosted trees.

    Unit 1; range above 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Sample efficiency of boosted trees: how much of its accuracy a hundred labels give.

        mean accuracy with 100 labels / mean accuracy with 10,000 labels

    - The ladder of `boosted-ladder`; with fewer than 10,000 rows the denominator is the accuracy with all of them
      (`all_rows`). The numerator is the mean over ten draws; `spread_of_draws` is what a single draw scatters by.
    - Shape: scalar. Unit: 1. Range: above 0, mostly below 1; undefined where nothing is ever right.
    - Invariances: order of codes and values. Cost: none beside the ladder.
    - Bias: with a harder task both accuracies fall, so a high ratio may mean that more labels do not help either.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("boosted-efficiency", random_state, return_estimate, codes=codes, factors=factors, **options)


def gaussian_total_correlation(codes: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Gaussian total correlation of codes.

    Unit nats; range ≥ 0, +∞ where codes are linearly dependent.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Total correlation of a Gaussian with the covariance of the codes.

        TC = ½ (Σ_l ln C_ll − ln det C)

    - Shape: scalar; `independent_subset` is the value over a largest set of linearly independent codes (pivoted Cholesky,
      1e-10). Unit: nats. Range: ≥ 0, +∞ where a code is a linear function of others. No ridge is added.
    - Invariances: order of rows and codes, affine maps of a code.
    - Cost: n·L² + L³. Standard error: 100 sets of resampled rows.
    - Bias: about L(L − 1)/4n upwards. It sees linear dependence only: codes a + b and a − b of two bits give 0. Codes that
      do not vary add nothing.

    References: Watanabe, Information Theoretical Analysis of Multivariate Correlation (1960). Locatello and others,
    Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("gaussian-total-correlation", random_state, return_estimate, codes=codes, **options)


def gaussian_wasserstein(codes: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Gaussian Wasserstein correlation of codes.

    Unit squared units of the codes; range ≥ 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Wasserstein correlation: how far a Gaussian with the covariance of the codes is from one with independent codes.

        W = 2 tr C − 2 tr (D^½ C D^½)^½,   D = diag C

    - The squared 2-Wasserstein distance of both Gaussians; `per_trace` is W/tr C. The root is the symmetric one, which stays
      real.
    - Shape: scalar. Unit: squared units of the codes. Range: ≥ 0, finite for codes that repeat each other.
    - Invariances: order of rows and codes, shifts. Scaling all codes by c multiplies it by c²; `per_trace` stays.
    - Cost: n·L² + L³. Standard error: 100 sets of resampled rows.
    - Bias: upwards by order 1/n. It sees linear dependence only.

    References: Dowson and Landau, The Fréchet Distance between Multivariate Normal Distributions (1982). Locatello and others,
    Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations (2019).
    """
    return score("gaussian-wasserstein", random_state, return_estimate, codes=codes, **options)


def mean_mutual_information(codes: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Mean mutual information of code pairs.

    Unit nats; range ≥ 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Mean mutual information of code pairs.

        mean over l < m of I(z_l; z_m), each code in 20 bins of equal width

    - Plug-in (preset study-2019) or without its expected bias (latlas); the other stands in `plug_in` or `corrected`.
    - Shape: scalar; `pairs` [L, L]. Unit: nats. Range: ≥ 0; 0 with one code.
    - Invariances: order of rows and codes, positive scaling of a code.
    - Cost: n·L²/2 counts. Standard error: 100 sets of resampled rows.
    - Bias: plug-in information of 20 × 20 bins is too large by about 180/n; with few rows the correction is too small.
      Pairs miss what three codes share: it is 0 for a, b and a xor b.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019).
    """
    return score("mean-mutual-information", random_state, return_estimate, codes=codes, **options)


def aggregate_total_correlation(codes: Any, codes_logvar: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Total correlation of the aggregate posterior.

    Unit nats; range ≥ 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    codes_logvar : array ``[n, L]``
        Log variances of the posterior whose means the codes are.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Total correlation of the aggregate posterior: how far the codes of all data together are from independent.

        TC(q) = KL(q(z) ‖ Π_l q(z_l)),   q(z) = (1/n) Σ_j q(z|x_j)

    - Found at draws from the mixture of given normal posteriors, as in `elbo-decomposition`. Unlike the Gaussian total
      correlation it sees dependence of any form.
    - Shape: scalar. Unit: nats. Range: ≥ 0 but for sampling noise.
    - Invariances: order of rows and codes, affine maps of a code together with its variance.
    - Cost: none beside `elbo-decomposition`.
    - Bias: upwards where posteriors are narrow and rows few: the mixture then looks like separate points. At most ln n times
      the number of codes less one.
    - Standard error: over rows.

    References: Watanabe, Information Theoretical Analysis of Multivariate Correlation (1960). Chen, Li, Grosse and Duvenaud,
    Isolating Sources of Disentanglement in Variational Autoencoders (2018).
    """
    return score("aggregate-total-correlation", random_state, return_estimate, codes=codes, codes_logvar=codes_logvar, **options)


def elbo_decomposition(codes: Any, codes_logvar: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Parts of the rate of an encoder.

    Unit nats; range ≥ 0.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    codes_logvar : array ``[n, L]``
        Log variances of the posterior whose means the codes are.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    What the rate of an encoder consists of: information about the data, dependence of the codes, and misfit of each code.

        E KL(q(z|x) ‖ p) = I(x; z) + TC(q) + Σ_l KL(q(z_l) ‖ p(z_l)),   q(z) = (1/n) Σ_j q(z|x_j)

    - p is the standard normal, q(z|x) a normal with the given means and log variances. The mixture holds all rows (a sample
      where that is too dear: `components`) and is evaluated at a draw for each of up to 2,000 rows.
    - Shape: [4]: rate in closed form, information, total correlation, sum of the codes' own divergences. `sum` is what the
      last three make at the same draws, to be compared with the rate; `information_without_own` leaves each row's own
      component out of the mixture. Per code: `rate_of_code`, `active` (rate above 0.01), `variance_of_means`.
    - Unit: nats. Range: ≥ 0 but for sampling noise.
    - Invariances: order of rows and codes.
    - Cost: points × components × codes exponentials.
    - Bias: with the own component I(x; z) is at most ln n and too low (`saturates-at-ln-n`), without it too high; the truth
      lies between. What I loses the total correlation gains.
    - Standard errors: over rows.

    References: Hoffman and Johnson, ELBO Surgery (2016). Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement
    in Variational Autoencoders (2018).
    """
    return score("elbo-decomposition", random_state, return_estimate, codes=codes, codes_logvar=codes_logvar, **options)


def rotation_attack(codes: Any, factors: Any, *, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:
    r"""Scores under a turn of the codes.

    Unit 1; range that of each score.

    Parameters
    ----------
    codes : array ``[n, L]``
        Codes of data; rows that are not finite are counted and left out.
    factors : array ``[n, K]`` or ``[n]``
        Factors of variation; NaN is a missing label.
    random_state : int, numpy.random.Generator or None
    return_estimate : bool
        Give the whole estimate, with its standard error or interval and its caveats.
    **options
        Those of :func:`latlas.run`.

    Notes
    -----
    Rotation attack: how the scores of codes change while their law, or at least what can be read from them, does not.

        z' = U(θ) z on standardised codes, U turning codes 0 and 1, 2 and 3, … by θ = 0°, 5°, …, 45°

    For more than one latent and any product density there are infinitely many maps that mix all latents and keep their
    law. A model composed with the inverse of such a map yields the same data, so no label-free fit can tell one from the
    other: what a score says of the axes is due to inductive bias in model and data.

    - Shape: [scores, angles]; `scores` and `angles` (degrees) name both. Scores fall with the angle, the linear probe
      (explicitness) stays flat. `energy_distance` with `p_value` (200 permutations) tests whether the cloud itself has
      changed: silent for Gaussian clouds, firing for others. `log_likelihood` is the mean log p(x) of the turned model, where
      a decoder, an encoder and a standard normal prior are there, and `likelihood_change` its largest change.
    - Unit: that of each score. Range: that of each score.
    - Invariances: order of rows. Cost: each score at each angle; trees and the probe at every third, on 1,000 rows.
    - Bias: scores here belong to standardised codes and, for learners, to a sample, so they may differ from their own entry.
    - Standard errors: turned sets of resampled rows for sums; the error of learners is beside their own entry.

    References: Locatello and others, Challenging Common Assumptions in the Unsupervised Learning of Disentangled
    Representations (2019). Székely and Rizzo, Testing for Equal Distributions in High Dimension (2004).
    """
    return score("rotation-attack", random_state, return_estimate, codes=codes, factors=factors, **options)
