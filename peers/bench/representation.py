"""The peer of `cargo dev bench representation`.

    representation.py make FOLDER ROWS     codes and factors, and 5,000 rows to test with
    representation.py measure COMMAND …    runs a command; prints seconds and its peak in KiB
    representation.py dci FOLDER ROUNDS    the trees of DCI with scikit-learn's GradientBoostingClassifier; prints JSON

Every round of a hundred costs the same, so fewer of them tell what all cost; D, C and I come from all hundred.
"""

import json
import os
import resource
import subprocess
import sys
import time

SIZES = (3, 6, 40, 32, 32)
CODES = 10
TEST_ROWS = 5000
ROUNDS = 100


def make(folder, rows):
    import numpy as np

    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(0)
    # Every code a mixture of two factors with noise of its own, so that learners have something to do.
    mixing = np.eye(CODES, len(SIZES)) + 0.2 * rng.normal(size=(CODES, len(SIZES)))
    for name, n in (("", rows), ("test_", TEST_ROWS)):
        y = np.stack([rng.integers(0, size, n) for size in SIZES], axis=1).astype(float)
        scaled = (y - np.array(SIZES) / 2 + 0.5) / np.array(SIZES) * 3.4
        z = scaled @ mixing.T + 0.2 * rng.normal(size=(n, CODES))
        np.save(f"{folder}/{name}codes.npy", z)
        np.save(f"{folder}/{name}factors.npy", y)


def measure(command):
    start = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return code


def dci(folder, rounds):
    import numpy as np
    import sklearn
    from sklearn.ensemble import GradientBoostingClassifier

    z, y, z_test, y_test = (np.load(f"{folder}/{name}.npy") for name in ("codes", "factors", "test_codes", "test_factors"))
    seconds, importances, accuracies = [], [], []
    for k in range(y.shape[1]):
        start = time.perf_counter()
        fit = GradientBoostingClassifier(n_estimators=rounds, random_state=0).fit(z, y[:, k])
        importances.append(np.abs(fit.feature_importances_))
        accuracies.append(fit.score(z_test, y_test[:, k]))
        seconds.append((time.perf_counter() - start) * ROUNDS / rounds)
        print(f"factor {k} of {SIZES[k]} values: {seconds[-1]:.1f} s", file=sys.stderr)
    found = {"sklearn": sklearn.__version__, "seconds": sum(seconds)}
    if rounds == ROUNDS:
        r = np.array(importances).T
        found |= {"d": aggregate(r), "c": aggregate(r.T), "i": float(np.mean(accuracies))}
    print(json.dumps(found))


def aggregate(rows):
    """The mean over rows of 1 minus their relative entropy, weighted by their shares."""
    import numpy as np

    p = (rows + 1e-11) / (rows + 1e-11).sum(axis=1, keepdims=True)
    return float((rows.sum(axis=1) / rows.sum() * (1 + (p * np.log(p)).sum(axis=1) / np.log(rows.shape[1]))).sum())


if __name__ == "__main__":
    verb, rest = sys.argv[1], sys.argv[2:]
    if verb == "make":
        make(rest[0], int(rest[1]))
    elif verb == "measure":
        sys.exit(measure(rest))
    else:
        dci(rest[0], int(rest[1]))
