"""Scores of codes during training: batches are collected, and a value comes of all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from latlas import metrics
from latlas._arrays import as_numpy


class CodeMetric:
    """A score of codes over batches, in the manner of torchmetrics: ``update``, ``compute``, ``reset``, ``merge_state``.

    Parameters
    ----------
    score : str
        A function of :mod:`latlas.metrics`, such as ``"mig"``.
    max_rows : int, optional
        Rows kept at most: beyond it a uniform random part of all rows that were seen (Vitter 1985).
    random_state : int
        Keys what is drawn, here and in the score.
    **options
        Those of the score.

    Examples
    --------
    >>> import numpy as np
    >>> from latlas.training import CodeMetric
    >>> metric = CodeMetric("mig")
    >>> factors = np.arange(400) % 4
    >>> for rows in np.split(np.arange(400), 4):
    ...     metric.update(factors[rows, None] + 0.0, factors[rows])
    >>> round(metric.compute(), 2)
    1.0
    """

    def __init__(self, score: str, *, max_rows: int | None = 10_000, random_state: int = 0, **options: Any) -> None:
        name = score.replace("-", "_")
        if name not in metrics.__all__:
            raise ValueError(f"no score {score!r}; latlas.metrics has {', '.join(metrics.__all__)}")
        self.score, self.max_rows, self.random_state, self.options = name, max_rows, random_state, options
        self.reset()

    def reset(self) -> None:
        """Forgets all rows."""
        self.n_seen = 0
        self._rows: dict[str, Any] = {}
        self._keys: Any = np.empty(0)
        self._random = np.random.default_rng(self.random_state)

    def update(self, codes: Any, factors: Any = None, *, codes_logvar: Any = None) -> None:
        """Takes in a batch: codes ``[n, L]``, factors ``[n, K]`` or ``[n]``, log variances ``[n, L]`` where the score needs them."""
        batch = {"codes": codes, "factors": factors, "codes_logvar": codes_logvar}
        rows = {name: np.array(as_numpy(values)) for name, values in batch.items() if values is not None}
        n = len(rows["codes"])
        if any(len(values) != n for values in rows.values()):
            raise ValueError(f"a batch of {n} codes with {', '.join(f'{len(v)} {k}' for k, v in rows.items() if k != 'codes')}")
        self._add(rows, self._random.random(n))
        self.n_seen += n

    def _add(self, rows: dict[str, Any], keys: Any) -> None:
        if self._rows and set(rows) != set(self._rows):
            raise ValueError(f"batches hold {', '.join(self._rows)}, this one {', '.join(rows)}")
        for name, values in rows.items():
            self._rows[name] = np.concatenate([self._rows[name], values]) if name in self._rows else values
        self._keys = np.concatenate([self._keys, keys])
        if self.max_rows is not None and len(self._keys) > self.max_rows:
            # The rows of the smallest keys are a uniform draw of all, however they came.
            kept = np.sort(np.argpartition(self._keys, self.max_rows)[: self.max_rows])
            self._keys = self._keys[kept]
            self._rows = {name: values[kept] for name, values in self._rows.items()}

    def merge_state(self, others: Any) -> CodeMetric:
        """Adds what other objects of the same score have seen, such as those of other processes (each with its own ``random_state``)."""
        for other in others if isinstance(others, (list, tuple)) else [others]:
            if other.score != self.score:
                raise ValueError(f"{other.score} does not merge into {self.score}")
            if other._rows:
                self._add(other._rows, other._keys)
            self.n_seen += other.n_seen
        return self

    def compute(self, *, return_estimate: bool = False) -> Any:
        """The score of what was seen."""
        if not self._rows:
            raise ValueError("nothing was seen yet: update(codes, factors) comes first")
        function = getattr(metrics, self.score)
        return function(**self._rows, random_state=self.random_state, return_estimate=return_estimate, **self.options)
