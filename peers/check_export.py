"""Runs exported ONNX graphs in onnxruntime and compares them with Latlas.

    python peers/check_export.py FOLDER [PATTERN]
    python peers/check_export.py LATLAS

FOLDER holds pairs NAME.onnx, NAME.npz; the arrays of the latter are called `input:PORT` and `output:PORT`, and every
output is compared. `cargo test` leaves such folders in the `tmp` of its target: `export`, and `zoo` of the models that `latlas train` saves.
Given the command instead, these folders are checked, and then what `latlas export` writes against what `latlas jacobian` computes, for the models of the repository.
The last line counts: `N passed, M failed`.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

# float32 against float64, relative to the largest entry of an output. The galaxy flow is stiff: see NOTICE.md beside it.
TOLERANCE = 2e-5
TRAINED = 1e-5
STIFF = 5e-3


def worst_difference(path: pathlib.Path) -> float:
    """The largest difference of an output, relative to its largest entry."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    worst = 0.0
    with np.load(path.with_suffix(".npz")) as arrays:
        feeds = {i.name: arrays[f"input:{i.name}"].astype(np.float32) for i in session.get_inputs()}
        names = [o.name for o in session.get_outputs()]
        for name, got in zip(names, session.run(names, feeds)):
            expected = arrays[f"output:{name}"]
            if got.shape != expected.shape:
                raise ValueError(f"output {name!r} is {list(got.shape)}, not {list(expected.shape)}")
            both_nan = np.isnan(got) & np.isnan(expected)
            difference = np.abs(np.where(both_nan, 0.0, got - expected)).max(initial=0.0)
            scale = max(np.abs(expected[np.isfinite(expected)]).max(initial=0.0), 1e-3)
            worst = max(worst, float(difference / scale)) if not np.isnan(difference) else float("inf")
    return worst


def derivative_difference(latlas: pathlib.Path, model: pathlib.Path, verb: str) -> float:
    """The exported Jacobian `[N, D.., d]` or metric `[N, d, d]` in onnxruntime against `latlas jacobian` or `latlas metric`."""
    with tempfile.TemporaryDirectory() as scratch:
        derived, latents, ours = (pathlib.Path(scratch) / name for name in ("derived.onnx", "z.npy", "ours.npy"))
        dims = onnx.load(model).graph.input[0].type.tensor_type.shape.dim
        z = np.random.default_rng(0).normal(size=[5] + [d.dim_value for d in dims[1:]])
        np.save(latents, z)
        subprocess.run([latlas, "export", model, f"--{verb}", "--quiet", "-o", derived], check=True)
        subprocess.run([latlas, verb, model, "--latents", latents, "--dtype", "f64", "--quiet", "-o", ours], check=True)
        expected = np.load(ours)
        session = onnxruntime.InferenceSession(derived, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs() if o.name.endswith((".jacobian", ".gram"))]
        got = session.run(names[:1], {session.get_inputs()[0].name: z.astype(np.float32)})[0]
        if got.shape != expected.shape:
            raise ValueError(f"{names[0]!r} is {list(got.shape)}, not {list(expected.shape)}")
        return float(np.abs(got - expected).max() / np.abs(expected).max())


def checks(argument: pathlib.Path, pattern: str):
    """Names, and functions that give the largest relative difference."""
    command = argument if argument.is_file() else None
    scratch = argument.parent.parent / "tmp"
    for folder in [argument] if command is None else [scratch / "export", scratch / "zoo"]:
        for path in sorted(folder.glob(f"{pattern}.onnx")):
            yield f"{folder.name}/{path.stem}", lambda path=path: worst_difference(path)
    if command is not None:
        crates = pathlib.Path(__file__).parent.parent / "crates" / "latlas"
        for model in (crates / "assets/digits_vae.onnx", crates / "tests/fixtures/galaxy_flow.onnx"):
            for verb in ("jacobian", "metric"):
                yield f"latlas export --{verb} {model.name}", lambda model=model, verb=verb: derivative_difference(command.resolve(), model, verb)


def main() -> int:
    pattern = sys.argv[2] if len(sys.argv) > 2 else "*"
    passed, failed = 0, 0
    for name, check in checks(pathlib.Path(sys.argv[1]), pattern):
        tolerance = STIFF if "galaxy" in name else TRAINED if name.startswith("zoo/") else TOLERANCE
        try:
            worst = check()
            problem = None if worst <= tolerance else f"differs by {worst:.1e}, more than {tolerance:.0e}"
        except Exception as error:  # whatever the runtime says is the finding
            problem = f"{type(error).__name__}: {str(error)[:400]}"
        if problem is None:
            passed += 1
            if len(sys.argv) > 2:
                print(f"{name}: {worst:.1e}")
        else:
            failed += 1
            print(f"{name}: {problem}")
    if passed + failed == 0:
        print(f"no exported graphs in {sys.argv[1]}")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
