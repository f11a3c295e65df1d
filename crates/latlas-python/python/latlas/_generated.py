"""Functions with the options of the command. Made by `cargo dev generate`; edit the command's arguments instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latlas._run import ArrayInput, ModelInput, Progress, Run, compare as _compare, options, prepare
from latlas._report import Report

__all__ = ["begin", "compare", "report", "run"]


def run(
    estimators: str | Sequence[str],
    decoder: ModelInput | None = None,
    *,
    input: str | None = None,
    condition_input: str | None = None,
    output: str | None = None,
    mean: str | None = None,
    logvar: str | None = None,
    std: str | None = None,
    logits: str | None = None,
    log_det: str | None = None,
    from_tensor: Any | None = None,
    to_tensor: Any | None = None,
    embedding: str | None = None,
    ensemble: ModelInput | Sequence[ModelInput] | None = None,
    feature: ModelInput | None = None,
    latents: ArrayInput | None = None,
    samples: int | None = None,
    prior: ArrayInput | None = None,
    sampling: str | None = None,
    data: ArrayInput | None = None,
    encoder: ModelInput | None = None,
    labels: ArrayInput | None = None,
    condition: ArrayInput | None = None,
    other: ModelInput | Sequence[ModelInput] | None = None,
    other_encoder: ModelInput | Sequence[ModelInput] | None = None,
    noise: Any | None = None,
    jacobians: ArrayInput | None = None,
    axes: str | None = None,
    data_scale: ArrayInput | None = None,
    codes: ArrayInput | None = None,
    codes_logvar: ArrayInput | None = None,
    code_table: ArrayInput | None = None,
    factors: ArrayInput | None = None,
    factor_kinds: str | None = None,
    test_codes: ArrayInput | None = None,
    test_factors: ArrayInput | None = None,
    preset: str | None = None,
    builder: str | None = None,
    dtype: str | None = None,
    chunk: int | None = None,
    sets: Any | None = None,
    other_sets: Any | None = None,
    partition: str | None = None,
    order: str | None = None,
    tau: float | None = None,
    std_cut: float | None = None,
    drop_h0: bool = False,
    seed: int | None = None,
    sketch: int | None = None,
    inversion_gate: float | None = None,
    conditioning: str | None = None,
    class_weights: str | None = None,
    max_bad: float | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Report:
    r"""Measures: runs the named estimators or groups, and gives their values with uncertainties.

    Parameters
    ----------
    estimators : str or sequence of str
        Ids of estimators or groups: :func:`latlas.list` shows them, :func:`latlas.explain` has their pages.
    decoder : Decoder, path or ``builtin:NAME``, optional
        What is measured.
    input : str, optional
        Input that takes the latents, where the file has several
    condition_input : str, optional
        Input that takes the condition
    output : str, optional
        Output to look at, as the file computes it
    mean : str, optional
        Output with the mean of p(x|z); guessed from names and shapes otherwise
    logvar : str, optional
        Output with its log variance
    std : str, optional
        Output with its standard deviation
    logits : str, optional
        Output with the logits of p(x|z)
    log_det : str, optional
        Output with log |det df/dz| (flows)
    from_tensor : a value or a sequence of them, optional
        Start at this tensor instead of at the inputs (repeatable)
    to_tensor : a value or a sequence of them, optional
        End at this tensor instead of at the outputs (repeatable)
    embedding : str, optional
        What lengths are measured in: auto is gaussian (mean and standard deviation) where the decoder has a spread, otherwise mean; bernoulli, categorical, poisson and gaussian-fisher are Fisher–Rao metrics of its outputs; ensemble and feature take further models (one of ``auto``, ``mean``, ``gaussian``, ``gaussian-fisher``, ``bernoulli``, ``categorical``, ``poisson``, ``ensemble``, ``feature``) [default: auto]
    ensemble : decoder, file, or a sequence of them, optional
        Further decoders over the same latents, for ``embedding`` ensemble
    feature : encoder or file, optional
        A model that takes what the decoder gives, for ``embedding`` feature
    latents : array or file, optional
        Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    samples : int, optional
        Latents to draw from the prior
    prior : str, array or file, optional
        normal, uniform, uniform:LO,HI, a .json or .npz file (diagonal, mixture) or a file of latents to draw from
    sampling : str, optional
        Where latents come from: drawn from the prior, or the data through the encoder (one of ``prior``, ``data``) [default: prior]
    data : array or file, optional
        Data, one sample a row, in the units of the decoder
    encoder : encoder or file, optional
        ONNX file of the encoder, data → latents
    labels : array or file, optional
        Class labels of the data
    condition : array or file, optional
        The decoder's second input: one row a sample, or one row for all
    other : decoder, file, or a sequence of them, optional
        A further model at the same data, for the estimators that compare models (repeatable)
    other_encoder : encoder, file, or a sequence of them, optional
        Its encoder, where there is one; a model without is inverted (repeatable, in the order of the models)
    noise : a value or a sequence of them, optional
        Standard deviations of the noise that the models were trained with, the first model's first: how many directions of the data stay, and how many grow with the noise
    jacobians : array or file, optional
        Jacobians [n, D, d] instead of a model; a .npz file with `jac` may also hold z, x, log_det, condition and prior_std; - for chunks on standard input, each as `np.save` writes it
    axes : str, optional
        In which order the axes of each of these Jacobians are (one of ``data-latent``, ``latent-data``) [default: data-latent]
    data_scale : number, array or file, optional
        Turn decoded values into another unit: a factor, or a file with one for each value. ``data`` and encoders are in it too
    codes : array or file, optional
        Codes of data [n, L]; where none are given, ``data`` goes through ``encoder``
    codes_logvar : array or file, optional
        Log variances [n, L] of the posterior whose means the codes are
    code_table : array or file, optional
        Codes of every combination of the factors once: [v1, …, vK, L]
    factors : array or file, optional
        Factors of variation [n, K], one row for each row of codes or data; NaN or an empty cell is a missing label
    factor_kinds : str, optional
        What each factor is: categorical, ordinal, continuous or auto, with commas between
    test_codes : array or file, optional
        Codes to test with [default: a random 30 % of ``codes``]
    test_factors : array or file, optional
        Their factors
    preset : str, optional
        Constants and conventions of the scores of codes (one of ``latlas``, ``study-2019``) [default: latlas]
    builder : str, optional
        How boosted trees find their splits [default: exact for study-2019, histogram for latlas] (one of ``exact``, ``histogram``)
    dtype : str, optional
        Type in which the decoder runs; sums and factorisations are always f64 (one of ``f32``, ``f64``) [default: f32]
    chunk : int, optional
        Samples a chunk; it orders the sums
    sets : a value or a sequence of them, optional
        A set of latents whose entropy and overlap with other sets is wanted, such as 0-3,7 (repeatable)
    other_sets : a value or a sequence of them, optional
        Sets of the further models, to be compared with those of the first (repeatable) [default: the same sets]
    partition : str, optional
        Blocks that together hold every latent: "0-3|4-6|rest"
    order : str, optional
        The order in which cores grow: pilot (by entropy over the first samples), two-pass (over all), native, or latents such as 2,0,1 [default: pilot]
    tau : float, optional
        Scale of the data's noise or quantisation: latents that move the data by less are not active
    std_cut : float, optional
        Standard deviation of a code below which a latent looks unused [default: the widest gap]
    drop_h0 : bool, optional
        Entropies without the prior's term E[−log p]: E log ‖Jᵢ‖ and E log |J| alone
    seed : int, optional
        Key of all random streams [default: 0]
    sketch : int, optional
        Estimate from M random probes a sample (reverse mode) instead of the whole Jacobian; unbiased, for many latents
    inversion_gate : float, optional
        The largest relative residual at which a model without an encoder counts as inverted [default: 0.001]
    conditioning : str, optional
        per-class measures every class by itself and joins them: rows of ``condition``, ``labels`` of the data, or components of a mixture ``prior`` (one of ``marginal``, ``per-class``) [default: marginal]
    class_weights : str, optional
        What each class counts: equally, or by its frequency (one of ``equal``, ``frequency``) [default: equal]
    max_bad : float, optional
        The largest accepted share of unusable samples [default: 0.05]
    threads : int, optional
        Threads; all cores by default.
    progress : bool or callable, optional
        Whether to show a bar, or a function ``(done, all)`` to call; by default there is a bar if tqdm is installed.
    """
    return prepare("run", estimators, decoder, options(locals())).measure(threads, progress)


def begin(
    estimators: str | Sequence[str],
    decoder: ModelInput | None = None,
    *,
    input: str | None = None,
    condition_input: str | None = None,
    output: str | None = None,
    mean: str | None = None,
    logvar: str | None = None,
    std: str | None = None,
    logits: str | None = None,
    log_det: str | None = None,
    from_tensor: Any | None = None,
    to_tensor: Any | None = None,
    embedding: str | None = None,
    ensemble: ModelInput | Sequence[ModelInput] | None = None,
    feature: ModelInput | None = None,
    latents: ArrayInput | None = None,
    samples: int | None = None,
    prior: ArrayInput | None = None,
    sampling: str | None = None,
    data: ArrayInput | None = None,
    encoder: ModelInput | None = None,
    labels: ArrayInput | None = None,
    condition: ArrayInput | None = None,
    other: ModelInput | Sequence[ModelInput] | None = None,
    other_encoder: ModelInput | Sequence[ModelInput] | None = None,
    noise: Any | None = None,
    jacobians: ArrayInput | None = None,
    axes: str | None = None,
    data_scale: ArrayInput | None = None,
    codes: ArrayInput | None = None,
    codes_logvar: ArrayInput | None = None,
    code_table: ArrayInput | None = None,
    factors: ArrayInput | None = None,
    factor_kinds: str | None = None,
    test_codes: ArrayInput | None = None,
    test_factors: ArrayInput | None = None,
    preset: str | None = None,
    builder: str | None = None,
    dtype: str | None = None,
    chunk: int | None = None,
    sets: Any | None = None,
    other_sets: Any | None = None,
    partition: str | None = None,
    order: str | None = None,
    tau: float | None = None,
    std_cut: float | None = None,
    drop_h0: bool = False,
    seed: int | None = None,
    sketch: int | None = None,
    inversion_gate: float | None = None,
    conditioning: str | None = None,
    class_weights: str | None = None,
    max_bad: float | None = None,
) -> Run:
    r"""Prepares what :func:`run` would do, to be done shard by shard: see :meth:`Run.shard` and :meth:`Run.merge`.

    Parameters
    ----------
    estimators : str or sequence of str
        Ids of estimators or groups: :func:`latlas.list` shows them, :func:`latlas.explain` has their pages.
    decoder : Decoder, path or ``builtin:NAME``, optional
        What is measured.
    input : str, optional
        Input that takes the latents, where the file has several
    condition_input : str, optional
        Input that takes the condition
    output : str, optional
        Output to look at, as the file computes it
    mean : str, optional
        Output with the mean of p(x|z); guessed from names and shapes otherwise
    logvar : str, optional
        Output with its log variance
    std : str, optional
        Output with its standard deviation
    logits : str, optional
        Output with the logits of p(x|z)
    log_det : str, optional
        Output with log |det df/dz| (flows)
    from_tensor : a value or a sequence of them, optional
        Start at this tensor instead of at the inputs (repeatable)
    to_tensor : a value or a sequence of them, optional
        End at this tensor instead of at the outputs (repeatable)
    embedding : str, optional
        What lengths are measured in: auto is gaussian (mean and standard deviation) where the decoder has a spread, otherwise mean; bernoulli, categorical, poisson and gaussian-fisher are Fisher–Rao metrics of its outputs; ensemble and feature take further models (one of ``auto``, ``mean``, ``gaussian``, ``gaussian-fisher``, ``bernoulli``, ``categorical``, ``poisson``, ``ensemble``, ``feature``) [default: auto]
    ensemble : decoder, file, or a sequence of them, optional
        Further decoders over the same latents, for ``embedding`` ensemble
    feature : encoder or file, optional
        A model that takes what the decoder gives, for ``embedding`` feature
    latents : array or file, optional
        Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    samples : int, optional
        Latents to draw from the prior
    prior : str, array or file, optional
        normal, uniform, uniform:LO,HI, a .json or .npz file (diagonal, mixture) or a file of latents to draw from
    sampling : str, optional
        Where latents come from: drawn from the prior, or the data through the encoder (one of ``prior``, ``data``) [default: prior]
    data : array or file, optional
        Data, one sample a row, in the units of the decoder
    encoder : encoder or file, optional
        ONNX file of the encoder, data → latents
    labels : array or file, optional
        Class labels of the data
    condition : array or file, optional
        The decoder's second input: one row a sample, or one row for all
    other : decoder, file, or a sequence of them, optional
        A further model at the same data, for the estimators that compare models (repeatable)
    other_encoder : encoder, file, or a sequence of them, optional
        Its encoder, where there is one; a model without is inverted (repeatable, in the order of the models)
    noise : a value or a sequence of them, optional
        Standard deviations of the noise that the models were trained with, the first model's first: how many directions of the data stay, and how many grow with the noise
    jacobians : array or file, optional
        Jacobians [n, D, d] instead of a model; a .npz file with `jac` may also hold z, x, log_det, condition and prior_std; - for chunks on standard input, each as `np.save` writes it
    axes : str, optional
        In which order the axes of each of these Jacobians are (one of ``data-latent``, ``latent-data``) [default: data-latent]
    data_scale : number, array or file, optional
        Turn decoded values into another unit: a factor, or a file with one for each value. ``data`` and encoders are in it too
    codes : array or file, optional
        Codes of data [n, L]; where none are given, ``data`` goes through ``encoder``
    codes_logvar : array or file, optional
        Log variances [n, L] of the posterior whose means the codes are
    code_table : array or file, optional
        Codes of every combination of the factors once: [v1, …, vK, L]
    factors : array or file, optional
        Factors of variation [n, K], one row for each row of codes or data; NaN or an empty cell is a missing label
    factor_kinds : str, optional
        What each factor is: categorical, ordinal, continuous or auto, with commas between
    test_codes : array or file, optional
        Codes to test with [default: a random 30 % of ``codes``]
    test_factors : array or file, optional
        Their factors
    preset : str, optional
        Constants and conventions of the scores of codes (one of ``latlas``, ``study-2019``) [default: latlas]
    builder : str, optional
        How boosted trees find their splits [default: exact for study-2019, histogram for latlas] (one of ``exact``, ``histogram``)
    dtype : str, optional
        Type in which the decoder runs; sums and factorisations are always f64 (one of ``f32``, ``f64``) [default: f32]
    chunk : int, optional
        Samples a chunk; it orders the sums
    sets : a value or a sequence of them, optional
        A set of latents whose entropy and overlap with other sets is wanted, such as 0-3,7 (repeatable)
    other_sets : a value or a sequence of them, optional
        Sets of the further models, to be compared with those of the first (repeatable) [default: the same sets]
    partition : str, optional
        Blocks that together hold every latent: "0-3|4-6|rest"
    order : str, optional
        The order in which cores grow: pilot (by entropy over the first samples), two-pass (over all), native, or latents such as 2,0,1 [default: pilot]
    tau : float, optional
        Scale of the data's noise or quantisation: latents that move the data by less are not active
    std_cut : float, optional
        Standard deviation of a code below which a latent looks unused [default: the widest gap]
    drop_h0 : bool, optional
        Entropies without the prior's term E[−log p]: E log ‖Jᵢ‖ and E log |J| alone
    seed : int, optional
        Key of all random streams [default: 0]
    sketch : int, optional
        Estimate from M random probes a sample (reverse mode) instead of the whole Jacobian; unbiased, for many latents
    inversion_gate : float, optional
        The largest relative residual at which a model without an encoder counts as inverted [default: 0.001]
    conditioning : str, optional
        per-class measures every class by itself and joins them: rows of ``condition``, ``labels`` of the data, or components of a mixture ``prior`` (one of ``marginal``, ``per-class``) [default: marginal]
    class_weights : str, optional
        What each class counts: equally, or by its frequency (one of ``equal``, ``frequency``) [default: equal]
    max_bad : float, optional
        The largest accepted share of unusable samples [default: 0.05]
    """
    return prepare("run", estimators, decoder, options(locals()))


def report(
    decoder: ModelInput | None = None,
    *,
    image: str | None = None,
    plane: Any | None = None,
    map_ranges: str | None = None,
    input: str | None = None,
    condition_input: str | None = None,
    output: str | None = None,
    mean: str | None = None,
    logvar: str | None = None,
    std: str | None = None,
    logits: str | None = None,
    log_det: str | None = None,
    from_tensor: Any | None = None,
    to_tensor: Any | None = None,
    embedding: str | None = None,
    ensemble: ModelInput | Sequence[ModelInput] | None = None,
    feature: ModelInput | None = None,
    latents: ArrayInput | None = None,
    samples: int | None = None,
    prior: ArrayInput | None = None,
    sampling: str | None = None,
    data: ArrayInput | None = None,
    encoder: ModelInput | None = None,
    labels: ArrayInput | None = None,
    condition: ArrayInput | None = None,
    other: ModelInput | Sequence[ModelInput] | None = None,
    other_encoder: ModelInput | Sequence[ModelInput] | None = None,
    noise: Any | None = None,
    jacobians: ArrayInput | None = None,
    axes: str | None = None,
    data_scale: ArrayInput | None = None,
    codes: ArrayInput | None = None,
    codes_logvar: ArrayInput | None = None,
    code_table: ArrayInput | None = None,
    factors: ArrayInput | None = None,
    factor_kinds: str | None = None,
    test_codes: ArrayInput | None = None,
    test_factors: ArrayInput | None = None,
    preset: str | None = None,
    builder: str | None = None,
    dtype: str | None = None,
    chunk: int | None = None,
    sets: Any | None = None,
    other_sets: Any | None = None,
    partition: str | None = None,
    order: str | None = None,
    tau: float | None = None,
    std_cut: float | None = None,
    drop_h0: bool = False,
    seed: int | None = None,
    sketch: int | None = None,
    inversion_gate: float | None = None,
    conditioning: str | None = None,
    class_weights: str | None = None,
    max_bad: float | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Report:
    r"""Measures everything that applies to what was given; ``report(…).save("out")`` writes the page.

    Parameters
    ----------
    decoder : Decoder, path or ``builtin:NAME``, optional
        What is measured; without a model, Jacobians or codes, the built-in digits and their model.
    image : str, optional
        Shape of decoded pictures; guessed from the decoder otherwise
    plane : a value or a sequence of them, optional
        With more than two latents: three rows of the data, of ``latents``, or numbers of draws, whose plane is mapped
    map_ranges : str, optional
        The latent-plane.json of another report, whose colours the maps then share
    input : str, optional
        Input that takes the latents, where the file has several
    condition_input : str, optional
        Input that takes the condition
    output : str, optional
        Output to look at, as the file computes it
    mean : str, optional
        Output with the mean of p(x|z); guessed from names and shapes otherwise
    logvar : str, optional
        Output with its log variance
    std : str, optional
        Output with its standard deviation
    logits : str, optional
        Output with the logits of p(x|z)
    log_det : str, optional
        Output with log |det df/dz| (flows)
    from_tensor : a value or a sequence of them, optional
        Start at this tensor instead of at the inputs (repeatable)
    to_tensor : a value or a sequence of them, optional
        End at this tensor instead of at the outputs (repeatable)
    embedding : str, optional
        What lengths are measured in: auto is gaussian (mean and standard deviation) where the decoder has a spread, otherwise mean; bernoulli, categorical, poisson and gaussian-fisher are Fisher–Rao metrics of its outputs; ensemble and feature take further models (one of ``auto``, ``mean``, ``gaussian``, ``gaussian-fisher``, ``bernoulli``, ``categorical``, ``poisson``, ``ensemble``, ``feature``) [default: auto]
    ensemble : decoder, file, or a sequence of them, optional
        Further decoders over the same latents, for ``embedding`` ensemble
    feature : encoder or file, optional
        A model that takes what the decoder gives, for ``embedding`` feature
    latents : array or file, optional
        Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    samples : int, optional
        Latents to draw from the prior
    prior : str, array or file, optional
        normal, uniform, uniform:LO,HI, a .json or .npz file (diagonal, mixture) or a file of latents to draw from
    sampling : str, optional
        Where latents come from: drawn from the prior, or the data through the encoder (one of ``prior``, ``data``) [default: prior]
    data : array or file, optional
        Data, one sample a row, in the units of the decoder
    encoder : encoder or file, optional
        ONNX file of the encoder, data → latents
    labels : array or file, optional
        Class labels of the data
    condition : array or file, optional
        The decoder's second input: one row a sample, or one row for all
    other : decoder, file, or a sequence of them, optional
        A further model at the same data, for the estimators that compare models (repeatable)
    other_encoder : encoder, file, or a sequence of them, optional
        Its encoder, where there is one; a model without is inverted (repeatable, in the order of the models)
    noise : a value or a sequence of them, optional
        Standard deviations of the noise that the models were trained with, the first model's first: how many directions of the data stay, and how many grow with the noise
    jacobians : array or file, optional
        Jacobians [n, D, d] instead of a model; a .npz file with `jac` may also hold z, x, log_det, condition and prior_std; - for chunks on standard input, each as `np.save` writes it
    axes : str, optional
        In which order the axes of each of these Jacobians are (one of ``data-latent``, ``latent-data``) [default: data-latent]
    data_scale : number, array or file, optional
        Turn decoded values into another unit: a factor, or a file with one for each value. ``data`` and encoders are in it too
    codes : array or file, optional
        Codes of data [n, L]; where none are given, ``data`` goes through ``encoder``
    codes_logvar : array or file, optional
        Log variances [n, L] of the posterior whose means the codes are
    code_table : array or file, optional
        Codes of every combination of the factors once: [v1, …, vK, L]
    factors : array or file, optional
        Factors of variation [n, K], one row for each row of codes or data; NaN or an empty cell is a missing label
    factor_kinds : str, optional
        What each factor is: categorical, ordinal, continuous or auto, with commas between
    test_codes : array or file, optional
        Codes to test with [default: a random 30 % of ``codes``]
    test_factors : array or file, optional
        Their factors
    preset : str, optional
        Constants and conventions of the scores of codes (one of ``latlas``, ``study-2019``) [default: latlas]
    builder : str, optional
        How boosted trees find their splits [default: exact for study-2019, histogram for latlas] (one of ``exact``, ``histogram``)
    dtype : str, optional
        Type in which the decoder runs; sums and factorisations are always f64 (one of ``f32``, ``f64``) [default: f32]
    chunk : int, optional
        Samples a chunk; it orders the sums
    sets : a value or a sequence of them, optional
        A set of latents whose entropy and overlap with other sets is wanted, such as 0-3,7 (repeatable)
    other_sets : a value or a sequence of them, optional
        Sets of the further models, to be compared with those of the first (repeatable) [default: the same sets]
    partition : str, optional
        Blocks that together hold every latent: "0-3|4-6|rest"
    order : str, optional
        The order in which cores grow: pilot (by entropy over the first samples), two-pass (over all), native, or latents such as 2,0,1 [default: pilot]
    tau : float, optional
        Scale of the data's noise or quantisation: latents that move the data by less are not active
    std_cut : float, optional
        Standard deviation of a code below which a latent looks unused [default: the widest gap]
    drop_h0 : bool, optional
        Entropies without the prior's term E[−log p]: E log ‖Jᵢ‖ and E log |J| alone
    seed : int, optional
        Key of all random streams [default: 0]
    sketch : int, optional
        Estimate from M random probes a sample (reverse mode) instead of the whole Jacobian; unbiased, for many latents
    inversion_gate : float, optional
        The largest relative residual at which a model without an encoder counts as inverted [default: 0.001]
    conditioning : str, optional
        per-class measures every class by itself and joins them: rows of ``condition``, ``labels`` of the data, or components of a mixture ``prior`` (one of ``marginal``, ``per-class``) [default: marginal]
    class_weights : str, optional
        What each class counts: equally, or by its frequency (one of ``equal``, ``frequency``) [default: equal]
    max_bad : float, optional
        The largest accepted share of unusable samples [default: 0.05]
    threads : int, optional
        Threads; all cores by default.
    progress : bool or callable, optional
        Whether to show a bar, or a function ``(done, all)`` to call; by default there is a bar if tqdm is installed.
    """
    return prepare("report", None, decoder, options(locals())).measure(threads, progress, whole_page=True)


def compare(
    *sides: ModelInput | Report,
    estimators: str | Sequence[str] | None = None,
    along: str | None = None,
    input: str | None = None,
    condition_input: str | None = None,
    output: str | None = None,
    mean: str | None = None,
    logvar: str | None = None,
    std: str | None = None,
    logits: str | None = None,
    log_det: str | None = None,
    from_tensor: Any | None = None,
    to_tensor: Any | None = None,
    latents: ArrayInput | None = None,
    samples: int | None = None,
    prior: ArrayInput | None = None,
    sampling: str | None = None,
    data: ArrayInput | None = None,
    encoder: ModelInput | None = None,
    labels: ArrayInput | None = None,
    condition: ArrayInput | None = None,
    other: ModelInput | Sequence[ModelInput] | None = None,
    other_encoder: ModelInput | Sequence[ModelInput] | None = None,
    noise: Any | None = None,
    jacobians: ArrayInput | None = None,
    axes: str | None = None,
    data_scale: ArrayInput | None = None,
    dtype: str | None = None,
    chunk: int | None = None,
    seed: int | None = None,
    sketch: int | None = None,
    inversion_gate: float | None = None,
    conditioning: str | None = None,
    class_weights: str | None = None,
    max_bad: float | None = None,
    sets: Any | None = None,
    other_sets: Any | None = None,
    partition: str | None = None,
    order: str | None = None,
    tau: float | None = None,
    std_cut: float | None = None,
    drop_h0: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> Report:
    r"""Compares models on the same latents or data, or reports: differences from the first one.

    Parameters
    ----------
    *sides : Decoder, Report, path or ``builtin:NAME``
        Two models or more, or two reports or more (or their JSON files).
    estimators : str or sequence of str, optional
        Ids of estimators or groups, for models; all entropies by default.
    along : str, optional
        A number for each, such as beta=0.1,1,10: plots over models have it as their axis [default: the noises, if given]
    input : str, optional
        Input that takes the latents, where the file has several
    condition_input : str, optional
        Input that takes the condition
    output : str, optional
        Output to look at, as the file computes it
    mean : str, optional
        Output with the mean of p(x|z); guessed from names and shapes otherwise
    logvar : str, optional
        Output with its log variance
    std : str, optional
        Output with its standard deviation
    logits : str, optional
        Output with the logits of p(x|z)
    log_det : str, optional
        Output with log |det df/dz| (flows)
    from_tensor : a value or a sequence of them, optional
        Start at this tensor instead of at the inputs (repeatable)
    to_tensor : a value or a sequence of them, optional
        End at this tensor instead of at the outputs (repeatable)
    latents : array or file, optional
        Latents, one a row: FILE.npy, FILE.npz:KEY, FILE.safetensors:KEY, FILE.csv, IDX(.gz) or builtin:NAME
    samples : int, optional
        Latents to draw from the prior
    prior : str, array or file, optional
        normal, uniform, uniform:LO,HI, a .json or .npz file (diagonal, mixture) or a file of latents to draw from
    sampling : str, optional
        Where latents come from: drawn from the prior, or the data through the encoder (one of ``prior``, ``data``) [default: prior]
    data : array or file, optional
        Data, one sample a row, in the units of the decoder
    encoder : encoder or file, optional
        ONNX file of the encoder, data → latents
    labels : array or file, optional
        Class labels of the data
    condition : array or file, optional
        The decoder's second input: one row a sample, or one row for all
    other : decoder, file, or a sequence of them, optional
        A further model at the same data, for the estimators that compare models (repeatable)
    other_encoder : encoder, file, or a sequence of them, optional
        Its encoder, where there is one; a model without is inverted (repeatable, in the order of the models)
    noise : a value or a sequence of them, optional
        Standard deviations of the noise that the models were trained with, the first model's first: how many directions of the data stay, and how many grow with the noise
    jacobians : array or file, optional
        Jacobians [n, D, d] instead of a model; a .npz file with `jac` may also hold z, x, log_det, condition and prior_std; - for chunks on standard input, each as `np.save` writes it
    axes : str, optional
        In which order the axes of each of these Jacobians are (one of ``data-latent``, ``latent-data``) [default: data-latent]
    data_scale : number, array or file, optional
        Turn decoded values into another unit: a factor, or a file with one for each value. ``data`` and encoders are in it too
    dtype : str, optional
        Type in which the decoder runs; sums and factorisations are always f64 (one of ``f32``, ``f64``) [default: f32]
    chunk : int, optional
        Samples a chunk; it orders the sums
    seed : int, optional
        Key of all random streams [default: 0]
    sketch : int, optional
        Estimate from M random probes a sample (reverse mode) instead of the whole Jacobian; unbiased, for many latents
    inversion_gate : float, optional
        The largest relative residual at which a model without an encoder counts as inverted [default: 0.001]
    conditioning : str, optional
        per-class measures every class by itself and joins them: rows of ``condition``, ``labels`` of the data, or components of a mixture ``prior`` (one of ``marginal``, ``per-class``) [default: marginal]
    class_weights : str, optional
        What each class counts: equally, or by its frequency (one of ``equal``, ``frequency``) [default: equal]
    max_bad : float, optional
        The largest accepted share of unusable samples [default: 0.05]
    sets : a value or a sequence of them, optional
        A set of latents whose entropy and overlap with other sets is wanted, such as 0-3,7 (repeatable)
    other_sets : a value or a sequence of them, optional
        Sets of the further models, to be compared with those of the first (repeatable) [default: the same sets]
    partition : str, optional
        Blocks that together hold every latent: "0-3|4-6|rest"
    order : str, optional
        The order in which cores grow: pilot (by entropy over the first samples), two-pass (over all), native, or latents such as 2,0,1 [default: pilot]
    tau : float, optional
        Scale of the data's noise or quantisation: latents that move the data by less are not active
    std_cut : float, optional
        Standard deviation of a code below which a latent looks unused [default: the widest gap]
    drop_h0 : bool, optional
        Entropies without the prior's term E[−log p]: E log ‖Jᵢ‖ and E log |J| alone
    threads : int, optional
        Threads; all cores by default.
    progress : bool or callable, optional
        Whether to show a bar, or a function ``(done, all)`` to call; by default there is a bar if tqdm is installed.
    """
    return _compare(sides, estimators, threads, progress, options(locals()))
