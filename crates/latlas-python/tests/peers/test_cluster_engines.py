"""Runs over Ray and Dask: the bits of one process, also when a worker is killed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import latlas


def processes_named(word):
    """Ids of processes with this word in what they call themselves."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        if word in name:
            found.append(int(folder.name))
    return found


OPTIONS = {"samples": 40_000, "chunk": 500, "seed": 1}


def test_ray_survives_a_killed_worker(digits):
    ray = pytest.importorskip("ray")
    import latlas.ray

    whole = latlas.run("entropy", digits, **OPTIONS)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    killed = []

    def kill_one():
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            for pid in processes_named("ray::shard"):
                time.sleep(0.3)
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(pid)
                return
            time.sleep(0.02)

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        with pytest.warns(RuntimeWarning, match="done again"):
            report = latlas.ray.run("entropy", digits, num_shards=4, **OPTIONS)
        killer.join()
        assert killed and sum(report.retried.values()) == 1
        assert report.to_json() == whole.to_json()
        # Errors of the run itself are raised as they are, and are not tried again.
        with pytest.raises(ValueError, match="did you mean"):
            latlas.ray.run("entropie", digits, num_shards=2, samples=100)
    finally:
        ray.shutdown()


def test_dask_gives_the_same_bits(digits):
    distributed = pytest.importorskip("distributed")
    import latlas.dask

    whole = latlas.run("entropy", digits, samples=2000, chunk=100)
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        report = latlas.dask.run("entropy", digits, num_shards=4, client=client, samples=2000, chunk=100)
    assert report.to_json() == whole.to_json() and report.retried == {}
