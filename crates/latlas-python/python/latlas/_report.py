"""Estimates and reports."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from latlas import _latlas


@dataclass(frozen=True, repr=False, eq=False)
class Estimate:
    """A value, how sure one may be of it, and from what.

    ``float(estimate)`` and ``numpy.asarray(estimate)`` give the value.
    """

    id: str
    title: str
    unit: str
    value: Any
    """A float, or an array whose axes are named by ``axes``; NaN means undefined and comes with a caveat."""
    standard_error: Any
    """Of the same shape as the value, or None."""
    interval: tuple[Any, Any] | None
    """A confidence interval at ``level``."""
    level: float
    n_used: int
    n_seen: int
    dropped: dict[str, int]
    """Samples left out, by reason."""
    caveats: list[tuple[str, str]]
    """What to know before trusting the value: ids (:func:`latlas.explain`) and what they mean here."""
    axes: list[str]
    extra: dict[str, Any] = field(default_factory=dict)
    """Further results by name."""

    def __float__(self) -> float:
        if np.ndim(self.value):
            raise TypeError(f"{self.id} has {np.size(self.value)} values; take .value")
        return float(self.value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.value, dtype=dtype) if copy else np.asarray(self.value, dtype=dtype)

    def _number(self) -> str:
        if not np.ndim(self.value):
            error = "" if self.standard_error is None or not np.isfinite(self.standard_error) else f" ± {self.standard_error:.2g}"
            if self.interval is not None and not error:
                error = f" [{self.interval[0]:.4g}, {self.interval[1]:.4g}]"
            return f"{self.value:.6g}{error}"
        values = np.asarray(self.value)
        if values.ndim == 1 and len(values) <= 6:
            return "[" + ", ".join(f"{x:.4g}" for x in values) + "]"
        shape = "×".join(str(size) for size in values.shape)
        known = values[~np.isnan(values)]
        spread = f" from {known.min():.4g} to {known.max():.4g}" if known.size else ", all undefined"
        return f"{shape} values{spread}"

    def _unit(self) -> str:
        return "" if self.unit == "1" else self.unit

    def __repr__(self) -> str:
        dropped = f" of {self.n_seen}" if self.n_used != self.n_seen else ""
        caveats = f"; {', '.join(id for id, _ in self.caveats)}" if self.caveats else ""
        return f"<{self.id} {self._number()} {self._unit()}".rstrip() + f" from {self.n_used}{dropped} samples{caveats}>"

    def _repr_html_(self) -> str:
        return _table([self])


def _table(estimates: list[Estimate]) -> str:
    """Estimates as an HTML table in the style of the notebook."""
    cell = html.escape
    rows = "".join(
        f"<tr><td style='text-align:left' title='{cell(e.id, quote=True)}'>{cell(e.title)}</td><td>{cell(e._number())}</td>"
        f"<td style='text-align:left'>{cell(e._unit())}</td><td>{e.n_used if e.n_used == e.n_seen else f'{e.n_used} of {e.n_seen}'}</td>"
        f"<td style='text-align:left'>{'<br>'.join(cell(f'{id}: {message}') for id, message in e.caveats)}</td></tr>"
        for e in estimates
    )
    head = "".join(f"<th>{title}</th>" for title in ("estimate", "value", "unit", "samples", "caveats"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


@dataclass(frozen=True)
class Plot:
    """A plot; notebooks show it, ``str(plot)`` is its SVG."""

    id: str
    svg: str
    title: str
    caption: str

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<latlas.Plot {self.id}: {self.title}>"

    def _repr_html_(self) -> str:
        return f"<figure style='margin:0'>{self.svg}<figcaption><b>{html.escape(self.title)}</b> {html.escape(self.caption)}</figcaption></figure>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the SVG."""
        path = Path(path)
        path.write_text(self.svg, encoding="utf-8")
        return path


class Report:
    """Everything that a run found: estimates by id, laws that were checked, settings, plots and a page."""

    def __init__(self, native: _latlas.Report) -> None:
        self._native = native
        self.retried: dict[int, int] = {}
        """Shards that lost their worker on a cluster and were done again, and how often."""
        self._estimates: dict[str, Estimate] | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Report:
        """A report from its JSON, as :meth:`save` or ``latlas run --save`` wrote it; large arrays are read from beside it."""
        path = Path(path)
        return cls(_latlas.Report.from_json(path.read_text(encoding="utf-8"), lambda name: (path.parent / name).read_bytes()))

    @property
    def estimates(self) -> dict[str, Estimate]:
        """By id, in the order of the table of estimators."""
        if self._estimates is None:
            parts = [{**part, "extra": json.loads(part["extra"])} for part in self._native.estimates()]
            self._estimates = {part["id"]: Estimate(**part) for part in parts}
        return self._estimates

    def __getitem__(self, id: str) -> Estimate:
        wanted = id.replace("_", "-")
        if wanted in self.estimates:
            return self.estimates[wanted]
        near = _latlas.nearest(wanted, list(self.estimates))
        raise KeyError(f"no estimate {id!r}; " + (f"did you mean {near!r}?" if near else f"there is {', '.join(self.estimates)}"))

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and id.replace("_", "-") in self.estimates

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self.estimates.values())

    def __len__(self) -> int:
        return len(self.estimates)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting that a value depends on."""
        return json.loads(self._native.settings)

    @property
    def invariants(self) -> dict[str, dict[str, Any]]:
        """Laws that must hold if the numbers are right: whether each ``holds``, its ``worst`` value and its ``tolerance``."""
        return {id: {"holds": holds, "worst": worst, "tolerance": most} for id, holds, worst, most in self._native.invariants()}

    @property
    def citations(self) -> list[str]:
        """References of the estimators used."""
        return self._native.citations

    def to_json(self) -> str:
        """As JSON (``latlas/1``), the same bytes as the command's; arrays over 10,000 entries are named and not contained."""
        return self._native.to_json()[0]

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary."""
        return json.loads(self.to_json())

    def to_html(self) -> str:
        """The page: one file that needs no network and no script."""
        return self._native.to_html(None)

    def to_frame(self) -> Any:
        """A pandas frame with a row for each number: estimate, index, value, standard error, bounds, unit, samples."""
        try:
            import pandas as pd  # type: ignore[import-untyped]
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install pandas, or latlas[pandas]") from error
        rows = []
        for estimate in self:
            values = np.asarray(estimate.value)
            errors = None if estimate.standard_error is None else np.asarray(estimate.standard_error)
            bounds = None if estimate.interval is None else [np.asarray(bound) for bound in estimate.interval]
            for index in np.ndindex(values.shape):
                rows.append(
                    {
                        "estimate": estimate.id,
                        "index": ",".join(str(i) for i in index),
                        "value": float(values[index]),
                        "standard_error": float("nan") if errors is None else float(errors[index]),
                        "lower": float("nan") if bounds is None else float(bounds[0][index]),
                        "upper": float("nan") if bounds is None else float(bounds[1][index]),
                        "unit": estimate.unit,
                        "n_used": estimate.n_used,
                        "n_seen": estimate.n_seen,
                    }
                )
        return pd.DataFrame(rows)

    @property
    def plots(self) -> list[str]:
        """Ids of the plots that this report has something for."""
        return [id for id in self._native.plots() if self._native.plot(id, False) is not None]

    def plot(self, id: str, *, narrow: bool = False) -> Plot:
        """A plot as SVG, by its id or a part of it that only one plot of this report has (``"spectrum"``)."""
        known = self._native.plots()
        wanted = id.replace("_", "-")
        if wanted not in known:
            alike = [name for name in self.plots if wanted in name]
            if len(alike) != 1:
                there = ", ".join(alike or self.plots)
                raise ValueError(f"{id!r} {'may be several plots' if alike else 'is no plot of this report'}: there is {there}")
            wanted = alike[0]
        drawn = self._native.plot(wanted, narrow)
        if drawn is None:
            raise ValueError(f"this report has nothing for {wanted!r}; there is {', '.join(self.plots)}")
        return Plot(wanted, *drawn)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Writes ``report.html``, ``report.json``, large arrays and the maps of the latent plane into a folder; gives the folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        text, files = self._native.to_json()
        (folder / "report.html").write_text(self.to_html(), encoding="utf-8")
        (folder / "report.json").write_text(text, encoding="utf-8")
        for name, content in files + self._native.map_files():
            (folder / name).write_bytes(content)
        return folder

    def __str__(self) -> str:
        return self._native.to_text(100)

    def __repr__(self) -> str:
        broken = [id for id, law in self.invariants.items() if not law["holds"]]
        laws = f"; laws that do not hold: {', '.join(broken)}" if broken else ""
        return f"<latlas.Report of {len(self)} estimates: {', '.join(self.estimates)}{laws}>"

    def _repr_html_(self) -> str:
        return _table(list(self))
