"""Runs exported ONNX graphs in onnxruntime and compares every output with the numbers Latlas left beside them.

    python peers/check_export.py FOLDER [PATTERN]

FOLDER holds pairs NAME.onnx, NAME.npz; the arrays of the latter are called `input:PORT` and `output:PORT`. `cargo test`
leaves such a folder in `target/tmp/export`. The last line counts: `N passed, M failed`.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

# float32 against float64, relative to the largest entry of an output. The galaxy flow is stiff: see NOTICE.md beside it.
TOLERANCE = 2e-5
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


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    pattern = sys.argv[2] if len(sys.argv) > 2 else "*"
    passed, failed = 0, 0
    for path in sorted(folder.glob(f"{pattern}.onnx")):
        tolerance = STIFF if "galaxy" in path.stem else TOLERANCE
        try:
            worst = worst_difference(path)
            problem = None if worst <= tolerance else f"differs by {worst:.1e}, more than {tolerance:.0e}"
        except Exception as error:  # whatever the runtime says is the finding
            problem = f"{type(error).__name__}: {str(error)[:400]}"
        if problem is None:
            passed += 1
            if len(sys.argv) > 2:
                print(f"{path.stem}: {worst:.1e}")
        else:
            failed += 1
            print(f"{path.stem}: {problem}")
    if passed + failed == 0:
        print(f"no exported graphs in {folder}")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
