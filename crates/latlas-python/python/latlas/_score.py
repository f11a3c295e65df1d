"""Scores of codes as functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from latlas._run import prepare


def seed_of(random_state: Any) -> int:
    """The key of random streams from what scikit-learn calls a random state."""
    if random_state is None:
        return 0
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    return int(random_state)


def score(id: str, random_state: Any, return_estimate: bool, **options: Any) -> Any:
    """The estimate of one estimator of codes, or its value."""
    given = {name: value for name, value in options.items() if value is not None}
    if random_state is not None:
        given["seed"] = seed_of(random_state)
    threads, progress = given.pop("threads", None), given.pop("progress", False)
    estimate = prepare("run", id, None, given).measure(threads, progress)[id]
    return estimate if return_estimate else estimate.value
