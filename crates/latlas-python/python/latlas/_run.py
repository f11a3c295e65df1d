"""From what a user gives to what the extension computes: options become words, arrays and models go beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np

from latlas import _latlas
from latlas._arrays import as_numpy, is_integer
from latlas._decoder import Decoder, Encoder
from latlas._progress import bar
from latlas._report import Report

ArrayInput = Any
"""An array (NumPy, torch, JAX, lists, …), or the words of a file: ``"z.npy"``, ``"a.npz:KEY"``, ``"builtin:NAME"``."""
ModelInput = Union[Decoder, Encoder, str, "os.PathLike[str]"]
"""A model that is loaded, its file, or ``"builtin:NAME"``."""
Progress = Union[bool, Callable[[int, int], Any], None]

# What does not go into the words of an option.
_APART = {"estimators", "decoder", "threads", "progress"}


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


# Options that may be given more than once, and options that take a list in one word.
_REPEATED = {"from_tensor", "to_tensor", "other", "other_encoder", "ensemble", "sets", "other_sets"}
_TOGETHER = {"noise", "factor_kinds", "order"}


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
        ids = [estimators] if isinstance(estimators, str) else list(estimators)
        if not ids:
            raise ValueError("no estimator was named; latlas.list('estimators') shows them")
        words.words += ids
    if decoder is not None:
        if isinstance(decoder, Encoder) or not isinstance(decoder, (Decoder, str, os.PathLike)):
            raise TypeError(f"the decoder is a {type(decoder).__name__}; latlas.load or latlas.from_torch makes one")
        words.words.append(words.word("decoder", decoder))
        if isinstance(decoder, Decoder):
            given.setdefault("dtype", decoder._native.dtype)
    if "dtype" in given:
        from latlas._decoder import dtype_name

        given["dtype"] = dtype_name(given["dtype"])
    for name, value in given.items():
        words.add(name, value)
    return Run(words)
