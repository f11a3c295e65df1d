"""Clustering in the manners of scikit-learn, and frames of pandas."""

import numpy as np
import pytest

import latlas

pytest.importorskip("sklearn")
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from latlas.cluster import RiemannianKMeans  # noqa: E402


@parametrize_with_checks([RiemannianKMeans(n_clusters=3, random_state=0)])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_without_a_decoder_it_is_k_means():
    from sklearn.cluster import KMeans
    from sklearn.datasets import make_blobs
    from sklearn.metrics import adjusted_rand_score

    z, _ = make_blobs(200, centers=3, cluster_std=0.4, random_state=0)
    ours = RiemannianKMeans(n_clusters=3, n_init=5, max_iter=100, tol=0, random_state=0).fit(z)
    theirs = KMeans(3, n_init=5, random_state=0).fit(z)
    assert adjusted_rand_score(ours.labels_, theirs.labels_) == 1 and np.isclose(ours.inertia_, theirs.inertia_)


def test_distances_are_those_of_the_manifold():
    # Two caps of the sphere, by latitude and longitude.
    sphere = latlas.load("builtin:sphere", dtype="f64")
    rng = np.random.default_rng(0)
    z = np.concatenate([[0.3, 0.0] + 0.15 * rng.standard_normal((12, 2)), [-0.2, 1.8] + 0.15 * rng.standard_normal((12, 2))])
    found = RiemannianKMeans(sphere, 2, random_state=0, levels=(8, 16)).fit(z)
    assert len(set(found.labels_[:12])) == len(set(found.labels_[12:])) == 1 and found.labels_[0] != found.labels_[-1]
    assert np.array_equal(found.predict(z), found.labels_)
    x, c = sphere.decode(z), sphere.decode(found.cluster_centers_)
    angles = np.arccos(np.clip(x @ c.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(c, axis=1), -1, 1))
    assert np.allclose(found.transform(z), angles * np.linalg.norm(x[0]), rtol=1e-4)


def test_frames(digits):
    pytest.importorskip("pandas")
    report = latlas.run("entropy", digits, samples=64)
    frame = report.to_frame()
    assert len(frame[frame.estimate == "manifold-entropy"]) == 2
    row = frame[frame.estimate == "total-correlation"].iloc[0]
    assert row.value == report["total-correlation"].value and row.lower <= row.value <= row.upper
