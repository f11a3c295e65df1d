"""What the tests share: the built-in model, and the command as a process of its own."""

import subprocess
import sys

import numpy as np
import pytest

import latlas


@pytest.fixture(scope="session")
def digits():
    return latlas.load("builtin:digits-vae")


@pytest.fixture(scope="session")
def digits_encoder():
    return latlas.load_encoder("builtin:digits-encoder")


@pytest.fixture
def latents():
    return np.random.default_rng(1).standard_normal((7, 2)).astype(np.float32)


@pytest.fixture
def command(tmp_path):
    """Runs ``latlas`` with some words in a folder of its own; gives its standard output."""

    def run(*words, code=0):
        ran = subprocess.run([sys.executable, "-m", "latlas", *map(str, words)], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == code, ran.stderr
        return ran.stdout

    run.folder = tmp_path
    return run


def pytest_terminal_summary(terminalreporter):
    """The last line as the project's own counter reads it."""
    passed, failed = (len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "failed"))
    failed += len(terminalreporter.stats.get("error", []))
    terminalreporter.write_line(f"{passed} passed, {failed} failed")
