"""Progress of long work: a bar where tqdm is installed and somebody can see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def bar(progress: bool | Callable[[int, int], Any] | None, what: str) -> Iterator[Callable[[int, int], Any] | None]:
    """A function ``(done, all)`` to report to, or None.

    ``progress`` is such a function itself, ``True`` or ``False``; with None there is a bar if tqdm is installed and standard
    error is a terminal or a notebook.
    """
    if callable(progress):
        yield progress
        return
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]
    except ImportError:
        if progress:
            print("latlas: no progress is shown, because tqdm is not installed", file=sys.stderr)
        yield None
        return
    if progress is False or (progress is None and not (sys.stderr.isatty() or "ipykernel" in sys.modules)):
        yield None
        return
    with tqdm(desc=what, unit="samples", leave=False) as shown:

        def at(done: int, all: int) -> None:
            shown.total = all
            shown.n = done
            shown.refresh()

        yield at
