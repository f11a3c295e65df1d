"""The examples run, and draw what they say."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
# Example → what it imports beside NumPy, and the pictures that it leaves.
NEEDS = {
    "geodesic": ([], ["geodesic.svg"]),
    "disentanglement": ([], ["disentanglement_scores.svg", "disentanglement_maps.svg"]),
    "torch_vae_atlas": (["torch", "onnx"], ["torch_vae_spectrum.svg", "torch_vae_traversals.svg"]),
    "two_models": (["torch", "onnx"], ["two_models_beta_0.2.svg", "two_models_beta_8.svg"]),
    "lightning_callback": (["lightning"], []),
}


def test_every_example_is_run_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_example(name, tmp_path):
    packages, pictures = NEEDS[name]
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    ran = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py"), str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    for picture in pictures:
        assert (tmp_path / picture).read_text(encoding="utf-8").lstrip().startswith("<svg"), picture
