"""Runs spread over a Dask cluster: ``pip install latlas[dask]``.

    from dask.distributed import Client
    import latlas.dask
    report = latlas.dask.run("entropy", decoder, samples=1_000_000, num_shards=64, client=Client())

As :mod:`latlas.ray`: models and arrays are sent to each worker once, and the report has the bits of one process. Dask itself
does the shards of a worker that dies again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latlas import _shards
from latlas._report import Report
from latlas._run import ModelInput


def run(
    estimators: str | Sequence[str],
    decoder: ModelInput | None = None,
    *,
    num_shards: int,
    client: Any = None,
    **options: Any,
) -> Report:
    """As :func:`latlas.run`, in ``num_shards`` parts over the cluster of a ``dask.distributed.Client``, by default the current one.

    ``estimators``, ``decoder`` and ``**options`` are those of :func:`latlas.run`.
    """
    from dask.distributed import default_client  # type: ignore[import-not-found]

    _shards.check(num_shards)
    client = client or default_client()
    arguments = (estimators, decoder, options)
    # In a list, since a tuple would be scattered part by part.
    [shared] = client.scatter([arguments], broadcast=True)
    futures = [client.submit(_shards.shard, shared, index, num_shards, pure=False) for index in range(num_shards)]
    return _shards.joined(arguments, client.gather(futures), {})
