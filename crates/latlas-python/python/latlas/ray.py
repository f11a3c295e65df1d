"""Runs spread over a Ray cluster: ``pip install latlas[ray]``.

    import ray, latlas.ray
    ray.init()
    report = latlas.ray.run("entropy", decoder, samples=1_000_000, num_shards=64)

Models and arrays go into the object store once, shards run wherever there is a core, and their states merge in order: the
report has the bits of one process on the same instruction set. A shard whose worker dies is done again elsewhere, and the
report tells it (``report.retried``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from latlas import _shards
from latlas._progress import bar
from latlas._report import Report
from latlas._run import ModelInput, Progress


def run(
    estimators: str | Sequence[str],
    decoder: ModelInput | None = None,
    *,
    num_shards: int,
    retries: int = 3,
    num_cpus: float = 1,
    progress: Progress = None,
    **options: Any,
) -> Report:
    """As :func:`latlas.run`, in ``num_shards`` parts over a Ray cluster.

    Parameters
    ----------
    estimators, decoder, **options
        Those of :func:`latlas.run`. Files are read by the workers and must be there; a loaded decoder goes along.
    num_shards : int
        Parts of the run: a few for each core, so that none waits long for the others.
    retries : int
        How often a shard may lose its worker.
    num_cpus : float
        Cores that Ray sets aside for a shard.

    Raises
    ------
    RuntimeError
        A shard that lost its worker more than ``retries`` times.
    """
    import ray  # type: ignore[import-not-found]

    _shards.check(num_shards)
    if not ray.is_initialized():
        ray.init(ignore_reinit_error=True, log_to_driver=False)
    arguments = (estimators, decoder, options)
    shared = ray.put(arguments)
    # Lost workers are counted here, so Ray's own retries are off.
    remote = ray.remote(num_cpus=num_cpus, max_retries=0)(_shards.shard)
    waiting = {remote.remote(shared, index, num_shards): index for index in range(num_shards)}
    states: list[bytes | None] = [None] * num_shards
    retried: dict[int, int] = {}
    with bar(progress, "shards") as at:
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            index = waiting.pop(ready[0])
            try:
                states[index] = ray.get(ready[0])
            except ray.exceptions.RayTaskError as error:
                raise error.cause or error from None
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError) as error:
                retried[index] = retried.get(index, 0) + 1
                if retried[index] > retries:
                    raise RuntimeError(f"shard {index} of {num_shards} lost its worker {retried[index]} times") from error
                waiting[remote.remote(shared, index, num_shards)] = index
            if at is not None:
                at(num_shards - len(waiting), num_shards)
    return _shards.joined(arguments, [state for state in states if state is not None], retried)
