"""Clustering in the geometry of a decoder: ``pip install latlas[sklearn]``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin  # type: ignore[import-untyped]
from sklearn.utils import check_random_state  # type: ignore[import-untyped]
from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]


class RiemannianKMeans(TransformerMixin, ClusterMixin, BaseEstimator):
    """k-means of latents under the metric that a decoder induces: distances are those of geodesics, centres are means on the manifold.

    Lloyd's algorithm with d(z, c) the geodesic distance and each centre the point of least squared distances (Fréchet mean),
    towards which it moves by c ← Exp_c(mean of Log_c(z)). Where a geodesic is not confirmed, the length of the best curve
    stands for the distance, and the latent does not move the centre (Arvanitidis, Hansen and Hauberg: *Latent Space Oddity*, 2018).

    Parameters
    ----------
    decoder : latlas.Decoder, optional
        Without one the latents are flat, and this is k-means.
    n_clusters : int
    n_init : int
        Starts; the one of least inertia is kept.
    max_iter : int
        Rounds of one start.
    tol : float
        Rounds end when no centre moves by more than this share of the latents' spread.
    levels : tuple of int
        Segments of the geodesics, level by level; four or more each.
    embedding : str
        As :meth:`latlas.Decoder.metric` has it.
    random_state : int, RandomState or None

    Attributes
    ----------
    cluster_centers_ : array ``[k, d]``
    labels_ : array ``[n]``
    inertia_ : float
        Sum of squared distances to the centres.
    n_iter_ : int
        Rounds of the start that was kept.

    Notes
    -----
    A round costs n·k geodesics, a search each.
    """

    def __init__(
        self,
        decoder: Any = None,
        n_clusters: int = 8,
        *,
        n_init: int = 1,
        max_iter: int = 20,
        tol: float = 1e-3,
        levels: tuple[int, ...] = (16, 32),
        embedding: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.decoder = decoder
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.levels = levels
        self.embedding = embedding
        self.random_state = random_state

    def _between(self, z: NDArray[Any], c: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Distances ``[n, k]`` and, from each centre, the velocities ``[n, k, d]`` that lead to the latents; NaN where none is known."""
        if self.decoder is None:
            towards = z[:, None, :] - c[None, :, :]
            return np.sqrt((towards**2).sum(-1)), towards
        n, k, d = len(z), len(c), z.shape[1]
        a, b = np.tile(c, (n, 1)), np.repeat(z, k, axis=0)
        same = (a == b).all(1)
        length, velocity = np.zeros(n * k), np.zeros((n * k, d))
        if not same.all():
            found = self.decoder.geodesic(a[~same], b[~same], points=2, levels=self.levels, embedding=self.embedding)
            length[~same] = np.where(np.isfinite(found["length"]), found["length"], found["upper"])
            velocity[~same] = np.where(found["converged"][:, None], found["velocity"], np.nan)
        return length.reshape(n, k), velocity.reshape(n, k, d)

    def _moved(self, centre: NDArray[Any], velocities: NDArray[Any]) -> NDArray[Any]:
        """Exp_c of the mean velocity; the centre itself where nothing is known."""
        known = velocities[np.isfinite(velocities).all(1)]
        if not len(known):
            return centre
        step = known.mean(0)
        if self.decoder is None:
            return centre + step
        there = self.decoder.exp(centre[None], step[None], embedding=self.embedding)[0]
        return there if np.isfinite(there).all() else centre

    def _start(self, z: NDArray[Any], random: Any) -> NDArray[Any]:
        """k-means++ (Arthur and Vassilvitskii 2007) with these distances."""
        chosen = [random.randint(len(z))]
        nearest = self._between(z, z[chosen])[0][:, 0] ** 2
        while len(chosen) < self.n_clusters:
            total = nearest.sum()
            share = nearest / total if total > 0 else None
            chosen.append(int(random.choice(len(z), p=share)))
            nearest = np.minimum(nearest, self._between(z, z[chosen[-1:]])[0][:, 0] ** 2)
        return z[chosen].copy()

    def fit(self, X: Any, y: Any = None) -> RiemannianKMeans:
        """Finds centres of latents ``[n, d]``."""
        z = self._checked(X, reset=True)
        if not 1 <= self.n_clusters <= len(z):
            raise ValueError(f"n_samples={len(z)} should be >= n_clusters={self.n_clusters}, which should be >= 1")
        random = check_random_state(self.random_state)
        tolerance = self.tol * np.sqrt(z.var(axis=0).sum())
        best = None
        for _ in range(max(1, self.n_init)):
            centres = self._start(z, random)
            for rounds in range(1, self.max_iter + 1):
                distances, velocities = self._between(z, centres)
                labels = distances.argmin(1)
                members = [labels == k for k in range(self.n_clusters)]
                moved = np.array([self._moved(c, velocities[m, k]) if m.any() else c for k, (c, m) in enumerate(zip(centres, members, strict=True))])
                shift = np.abs(moved - centres).max()
                centres = moved
                if shift <= tolerance:
                    break
            distances = self._between(z, centres)[0]
            inertia = float((distances.min(1) ** 2).sum())
            if best is None or inertia < best[0]:
                best = (inertia, centres, distances.argmin(1), rounds)
        assert best is not None
        self.inertia_, self.cluster_centers_, self.labels_, self.n_iter_ = best
        return self

    def _checked(self, X: Any, reset: bool) -> NDArray[np.float64]:
        if self.decoder is not None:
            from latlas._arrays import as_numpy

            X = as_numpy(X)
        z = validate_data(self, X, dtype=np.float64, reset=reset)
        if self.decoder is not None and z.shape[1] != self.decoder.latent_dim:
            raise ValueError(f"X has {z.shape[1]} features, but the decoder takes {self.decoder.latent_dim} latents")
        return z

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Distances ``[n, k]`` to the centres."""
        check_is_fitted(self)
        return self._between(self._checked(X, reset=False), self.cluster_centers_)[0]

    def predict(self, X: Any) -> NDArray[np.int64]:
        """The nearest centre of each latent ``[n]``."""
        return self.transform(X).argmin(1)

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns of :meth:`transform`."""
        check_is_fitted(self)
        return np.array([f"riemanniankmeans{k}" for k in range(len(self.cluster_centers_))], dtype=object)
