"""Scores of codes as functions."""

import numpy as np
import pytest

import latlas


@pytest.fixture
def disentangled():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, (400, 2))
    return factors + 0.01 * rng.standard_normal((400, 2)), factors


def test_values_and_estimates(disentangled):
    codes, factors = disentangled
    value = latlas.metrics.mig(codes, factors)
    assert isinstance(value, float) and value > 0.9
    estimate = latlas.metrics.mig(codes, factors, return_estimate=True)
    assert isinstance(estimate, latlas.Estimate) and estimate.value == value and estimate.n_used
    assert latlas.run("mig", codes=codes, factors=factors)["mig"].value == value
    shuffled = np.random.default_rng(1).permutation(codes)
    assert latlas.metrics.mig(shuffled, factors) < 0.2


def test_random_states(disentangled):
    codes, factors = disentangled
    score = latlas.metrics.dci_disentanglement
    assert score(codes, factors) == score(codes, factors, random_state=0)
    first, second = (score(codes, factors, random_state=np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_presets_and_kinds(disentangled):
    codes, factors = disentangled
    ours = latlas.metrics.mig(codes, factors, return_estimate=True)
    study = latlas.metrics.mig(codes, factors, preset="study-2019", factor_kinds=["categorical", "categorical"], return_estimate=True)
    assert ours.value != study.value
    with pytest.raises(ValueError, match="latlas|study-2019"):
        latlas.metrics.mig(codes, factors, preset="nobody")


def test_every_function_has_its_page():
    assert "mig" in latlas.metrics.__all__ and len(latlas.metrics.__all__) >= 15
    for name in latlas.metrics.__all__:
        text = getattr(latlas.metrics, name).__doc__
        assert "Parameters" in text and len(text) > 500, name
