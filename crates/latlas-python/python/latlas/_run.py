"""From what a user gives to what the extension computes: options become words, arrays and models go beside them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np

from latlas import _latlas
from latlas._arrays import as_numpy, is_integer
from latlas._decoder import Decoder, Encoder, dtype_name
from latlas._progress import bar
from latlas._report import Report

ArrayInput = Any
"""An array (NumPy, torch, JAX, lists, …), or the words of a file: ``"z.npy"``, ``"a.npz:KEY"``, ``"builtin:NAME"``."""
ModelInput = Union[Decoder, Encoder, str, "os.PathLike[str]"]
"""A model that is loaded, its file, or ``"builtin:NAME"``."""
Progress = Union[bool, Callable[[int, int], Any], None]

# What does not go into the words of an option.
_APART = {"estimators", "decoder", "sides", "threads", "progress"}


def options(given: dict[str, Any]) -> dict[str, Any]:
    """The options among the arguments of a function that were given."""
    return {name: value for name, value in given.items() if name not in _APART and value is not None and value is not False}


class _Words:
    """The words of a command, with the arrays and models that some of them stand for."""

    def __init__(self, verb: str) -> None:
        self.words = ["latlas", verb]
        self.arrays: list[tuple[str, Any, bool]] = []
        self.decoders: list[tuple[str, Any]] = []
        self.encoders: list[tuple[str, Any]] = []

    def word(self, name: str, value: Any) -> str:
        """The word for one value."""
        if isinstance(value, (str, os.PathLike)):
            return os.fspath(value)
        if isinstance(value, Decoder):
            if value._native.is_closed_form:
                return value._native.name
            self.decoders.append((name, value._native))
            return f"given:{name}"
        if isinstance(value, Encoder):
            self.encoders.append((name, value._native))
            return f"given:{name}"
        if isinstance(value, (bool, int, float, np.integer, np.floating)):
            return str(value)
        array = as_numpy(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name} hold {array.dtype}, expected real numbers")
        self.arrays.append((name, np.ascontiguousarray(array, dtype=np.float64), is_integer(array)))
        return f"given:{name}"

    def add(self, name: str, value: Any) -> None:
        """An option."""
        flag = "--" + name.replace("_", "-")
        if value is True:
            self.words.append(flag)
            return
        if name in _TOGETHER and not isinstance(value, str):
            value = ",".join(str(x) for x in (value if isinstance(value, Sequence) or hasattr(value, "tolist") else [value]))
        several = name in _REPEATED and isinstance(value, (list, tuple))
        for number, one in enumerate(value if several else [value]):
            self.words.append(f"{flag}={self.word(f'{name}{number}' if several else name, one)}")


    def add_model(self, name: str, model: Any, given: dict[str, Any]) -> None:
        """A decoder that is no option; its type is that of the run unless another one is given."""
        if isinstance(model, Encoder) or not isinstance(model, (Decoder, str, os.PathLike)):
            raise TypeError(f"the decoder is a {type(model).__name__}; latlas.load or latlas.from_torch makes one")
        self.words.append(self.word(name, model))
        if isinstance(model, Decoder):
            given.setdefault("dtype", model._native.dtype)

    def add_all(self, given: dict[str, Any]) -> None:
        """All options."""
        if "dtype" in given:
            given["dtype"] = dtype_name(given["dtype"])
        for name, value in given.items():
            self.add(name, value)


# Options that may be given more than once, and options that take a list in one word.
_REPEATED = {"from_tensor", "to_tensor", "other", "other_encoder", "ensemble", "sets", "other_sets"}
_TOGETHER = {"noise", "factor_kinds", "order", "plane"}


class Run:
    """A run that is prepared: what is computed from what is read and checked, and nothing is computed yet.

    Made by :func:`latlas.begin`. Its shards may be done anywhere, in any order, and by several processes; merged they give the
    bits of the whole run.
    """

    def __init__(self, words: _Words) -> None:
        self._native = _latlas.Task(words.words, words.arrays, words.decoders, words.encoders)

    @property
    def notes(self) -> list[str]:
        """What was guessed of the models, where there was something to choose."""
        return self._native.notes

    def measure(self, threads: int | None = None, progress: Progress = None, *, whole_page: bool = False) -> Report:
        """Does all of it."""
        with bar(progress, "samples") as at:
            return Report(self._native.measure(threads, at, whole_page))

    def shard(self, index: int, of: int, *, threads: int | None = None, progress: Progress = None) -> bytes:
        """Does part ``index`` of ``of``, counted from 0, and gives its state, the same bytes as ``latlas run --state`` keeps."""
        if not 0 <= index < of:
            raise ValueError(f"shard {index} of {of} does not exist; shards are counted from 0")
        with bar(progress, "samples") as at:
            return self._native.shard(index, of, threads, at)

    def merge(self, states: Sequence[bytes], *, partial: bool = False) -> Report:
        """The report of the states of all shards; with ``partial`` of those that are there, and it names the missing ones."""
        return Report(self._native.finish(_latlas.merge_states(list(states)), partial, False))


def merge(states: Sequence[bytes | str | os.PathLike[str]], *, partial: bool = False) -> Report:
    """The report of the states of shards, as :meth:`Run.shard` or ``latlas run --shard I/N --state FILE`` made them.

    Parameters
    ----------
    states : sequence of bytes or paths
    partial : bool
        Report even when shards are missing; the report names them.

    Raises
    ------
    ValueError
        States of different runs, a shard that is there twice, missing shards without ``partial``.
    """
    return Report(_latlas.merge([_state(state) for state in states], partial))


def merge_states(states: Sequence[bytes | str | os.PathLike[str]]) -> bytes:
    """The states of shards as one state."""
    return _latlas.merge_states([_state(state) for state in states])


def _state(state: bytes | str | os.PathLike[str]) -> bytes:
    if isinstance(state, bytes):
        return state
    with open(state, "rb") as file:
        return file.read()


def prepare(verb: str, estimators: str | Sequence[str] | None, decoder: Any, given: dict[str, Any]) -> Run:
    """A run from the arguments of a function that has the options of a verb."""
    words = _Words(verb)
    if estimators is not None:
        words.words += _ids(estimators)
    if decoder is not None:
        words.add_model("decoder", decoder, given)
    words.add_all(given)
    return Run(words)


def compare(
    sides: Sequence[Any],
    estimators: str | Sequence[str] | None,
    threads: int | None,
    progress: Progress,
    given: dict[str, Any],
) -> Report:
    """The comparison of models, or of reports."""
    if len(sides) < 2:
        raise ValueError(f"a comparison needs two models or reports at least, got {len(sides)}")
    along = given.get("along")
    if isinstance(along, dict):
        if len(along) != 1:
            raise ValueError("along names one setting: {name: [a number for each side]}")
        [(name, numbers)] = along.items()
        given["along"] = along = f"{name}=" + ",".join(str(number) for number in numbers)
    sides = [Report.load(side) if _is_report_file(side) else side for side in sides]
    reports = [side for side in sides if isinstance(side, Report)]
    if reports and len(reports) < len(sides):
        raise TypeError("a model and a report cannot be compared; give models, or reports")
    if reports:
        more = set(given) - {"along"}
        if more:
            raise TypeError(f"reports are compared as they are: {', '.join(sorted(more))} cannot be chosen any more")
        return Report(_latlas.compare_reports(_distinct([_model_of(side) for side in reports]), [side._native for side in reports], along))
    words = _Words("compare")
    for number, side in enumerate(sides):
        words.add_model(f"side{number}", side, given)
    words.words += [f"--estimator={id}" for id in ([] if estimators is None else _ids(estimators))]
    words.add_all(given)
    names = _distinct([side.name if isinstance(side, Decoder) else os.path.basename(os.fspath(side)) for side in sides])
    with bar(progress, "samples") as at:
        found, left_out = _latlas.compare(words.words, words.arrays, words.decoders, words.encoders, names, threads, at)
    if left_out:
        warnings.warn(f"the latents of the models were not matched: {left_out}", stacklevel=3)
    return Report(found)


def _is_report_file(side: Any) -> bool:
    return isinstance(side, (str, os.PathLike)) and os.fspath(side).lower().endswith(".json")


def _model_of(report: Report) -> str:
    return next((entry["path"] for entry in report.to_dict()["inputs"] if entry["role"] in ("model", "jacobians", "codes")), "report")


def _distinct(names: list[str]) -> list[str]:
    """Names that can be told apart: a second one gets a number."""
    return [name if name not in names[:k] else f"{name} ({names[: k + 1].count(name)})" for k, name in enumerate(names)]


def _ids(estimators: str | Sequence[str]) -> list[str]:
    ids = [estimators] if isinstance(estimators, str) else [*estimators]
    if not ids:
        raise ValueError("no estimator was named; latlas.list('estimators') shows them")
    return ids
