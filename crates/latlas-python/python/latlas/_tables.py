"""What there is: tables, pages, and the data that ships with Latlas."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latlas import _latlas


class Table(dict[str, str]):
    """Ids and titles; notebooks show a table."""

    def __repr__(self) -> str:
        width = max((len(id) for id in self), default=0)
        return "\n".join(f"{id:<{width}}  {title}" for id, title in self.items())

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(f"<tr><td><code>{escape(id)}</code></td><td style='text-align:left'>{escape(title)}</td></tr>" for id, title in self.items())
        return f"<table><tbody>{rows}</tbody></table>"


class Page(str):
    """A page; it prints as it reads."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def list(table: str | None = None) -> Any:  # noqa: A001 (the verb's own name)
    """What there is: ids and titles of one table (``estimators``, ``models``, ``data``, ``caveats``, ``ops``), or of all."""
    known = {name: Table((id, title) for id, title, _ in entries) for name, _, entries in _latlas.tables()}
    if table is None:
        return known
    if table not in known:
        near = _latlas.nearest(table, builtins.list(known))
        raise ValueError(f"no table {table!r}; " + (f"did you mean {near!r}?" if near else f"there is {', '.join(known)}"))
    return known[table]


def explain(id: str) -> Page:
    """The page of an estimator, model, data set, caveat or operator."""
    wanted = id.replace("_", "-").lower()
    entries = [(known, page) for _, _, entries in _latlas.tables() for known, _, page in entries]
    # Operators are written in capitals, so an exact id comes first.
    for known, page in sorted(entries, key=lambda entry: entry[0] != id):
        if known == id or known.lower() == wanted:
            return Page(page.rstrip())
    near = _latlas.nearest(id, [known for known, _ in entries])
    raise ValueError(f"nothing has the id {id!r}; " + (f"did you mean {near!r}?" if near else "latlas.list() shows all ids"))


def data(name: str) -> NDArray[Any]:
    """An array that ships with Latlas (``latlas.list("data")``), or of a file as the command reads it. Whole numbers are int64."""
    known = {id for kind, _, entries in _latlas.tables() if kind == "data" for id, _, _ in entries}
    values, integer = _latlas.read(f"builtin:{name}" if name in known else name)
    return values.astype(np.int64) if integer and np.isfinite(values).all() else values
