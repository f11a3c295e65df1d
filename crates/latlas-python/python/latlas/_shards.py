"""Shards of a run anywhere: what is computed where, and how it comes together again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from latlas._generated import begin
from latlas._report import Report


def shard(arguments: tuple[Any, Any, dict[str, Any]], index: int, of: int) -> bytes:
    """The state of one shard of ``run(*arguments)``, on one thread: the engine decides how many run beside each other."""
    estimators, decoder, options = arguments
    return begin(estimators, decoder, **options).shard(index, of, threads=1, progress=False)


def check(num_shards: int) -> None:
    """Refuses numbers of shards that make no run."""
    if num_shards < 1:
        raise ValueError(f"num_shards={num_shards}: take one or more")


def joined(arguments: tuple[Any, Any, dict[str, Any]], states: Sequence[bytes], retried: Mapping[int, int]) -> Report:
    """The report of all states, in their order; a shard that was lost and done again is told, and changes no bit."""
    estimators, decoder, options = arguments
    report = begin(estimators, decoder, **options).merge(states)
    report.retried = dict(retried)
    if retried:
        told = ", ".join(f"shard {index} ({times}×)" for index, times in sorted(retried.items()))
        warnings.warn(f"workers were lost, and their shards were done again: {told}", RuntimeWarning, stacklevel=3)
    return report
