"""Scores over batches."""

import numpy as np
import pytest

import latlas
from latlas.training import CodeMetric


def batches(n=600):
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (n, 2))
    codes = factors + 0.1 * rng.standard_normal((n, 2))
    return codes, factors


def test_batches_give_what_all_rows_give():
    codes, factors = batches()
    metric = CodeMetric("mig")
    for rows in np.array_split(np.arange(len(codes)), 7):
        metric.update(codes[rows], factors[rows])
    assert metric.compute() == latlas.metrics.mig(codes, factors)
    assert metric.n_seen == 600
    metric.reset()
    with pytest.raises(ValueError, match="nothing was seen"):
        metric.compute()


def test_states_merge():
    codes, factors = batches()
    first, second = CodeMetric("mig"), CodeMetric("mig", random_state=1)
    first.update(codes[:300], factors[:300])
    second.update(codes[300:], factors[300:])
    assert first.merge_state([second]).compute() == latlas.metrics.mig(codes, factors)
    with pytest.raises(ValueError, match="does not merge"):
        first.merge_state(CodeMetric("modularity"))


def test_rows_are_bounded_and_drawn_from_all():
    metric = CodeMetric("mig", max_rows=100)
    for start in range(0, 10_000, 50):
        metric.update(np.arange(start, start + 50)[:, None] * 1.0, np.arange(50) % 2)
    kept = metric._rows["codes"][:, 0]
    assert len(kept) == 100 and metric.n_seen == 10_000
    # The mean of a uniform draw of 100 of 0 … 9999 has a standard error of 289.
    assert abs(kept.mean() - 5000) < 4 * 289


def test_wrong_use_is_told():
    with pytest.raises(ValueError, match="no score"):
        CodeMetric("accuracy")
    with pytest.raises(ValueError, match="3 factors"):
        CodeMetric("mig").update(np.zeros((2, 1)), np.zeros(3))
