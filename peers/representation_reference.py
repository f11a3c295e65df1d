"""Reference values for scores of codes, written from their definitions with NumPy, SciPy and scikit-learn.

    python peers/representation_reference.py crates/latlas/tests/representation/reference.json

needs numpy, scipy and scikit-learn. Inputs are rounded to four decimals, so that a text file holds them exactly enough to
be read back to the same numbers. Closed forms should agree to 1e-9, learners within what the test states.
"""

import json
import sys

import numpy as np
from scipy.stats import pearsonr
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.svm import LinearSVC

BINS = 20


def discretised(x):
    return np.digitize(x, np.histogram(x, BINS)[1][:-1])


def entropy(y):
    p = np.bincount(y.astype(int)) / len(y)
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def information(z, y):
    bins = [discretised(code) for code in z.T]
    m = np.array([[mutual_info_score(b, factor) for factor in y.T] for b in bins])
    return np.where(m < 1e-12, 0, m), np.array([entropy(factor) for factor in y.T])


def gap(m):
    ordered = np.sort(m, axis=0)
    return ordered[-1] - ordered[-2]


def modularity(m):
    squares = m**2
    top = squares.max(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(top > 0, 1 - (squares.sum(axis=1) - top) / (top * (m.shape[1] - 1)), 0).mean()


def irs(z, y):
    deviation = np.abs(z - z.mean(axis=0)).max(axis=0)
    table = np.empty((z.shape[1], y.shape[1]))
    for k in range(y.shape[1]):
        groups = [z[y[:, k] == u] for u in np.unique(y[:, k])]
        spread = [np.percentile(np.abs(g - g.mean(axis=0)), 99, axis=0) for g in groups]
        table[:, k] = 1 - np.mean(spread, axis=0) / deviation
    return (deviation * table.max(axis=1)).sum() / deviation.sum()


def gaussian(z):
    c = np.cov(z.T)
    tc = 0.5 * (np.log(np.diag(c)).sum() - np.linalg.slogdet(c)[1])
    root = np.diag(np.sqrt(np.diag(c)))
    values = np.linalg.eigvalsh(root @ c @ root)
    return tc, 2 * np.trace(c) - 2 * np.sqrt(np.maximum(values, 0)).sum()


def mean_information(z):
    bins = [discretised(code) for code in z.T]
    pairs = [mutual_info_score(bins[a], bins[b]) for a in range(len(bins)) for b in range(a)]
    return float(np.mean(pairs))


def explicitness(z, y, z_test, y_test):
    mean, deviation = z.mean(axis=0), z.std(axis=0)
    x, x_test = (z - mean) / deviation, (z_test - mean) / deviation
    scores = []
    for k in range(y.shape[1]):
        fit = LogisticRegression(C=1.0, tol=1e-9, max_iter=10_000).fit(x, y[:, k])
        p = fit.predict_proba(x_test)
        scores.append(np.mean([roc_auc_score(y_test[:, k] == u, p[:, i]) for i, u in enumerate(fit.classes_)]))
    return float(np.mean(scores))


def sap_svm(z, y, z_test, y_test):
    table = np.empty((z.shape[1], y.shape[1]))
    for l in range(z.shape[1]):
        for k in range(y.shape[1]):
            fit = LinearSVC(C=0.01, class_weight="balanced", tol=1e-8, max_iter=100_000, random_state=0).fit(z[:, [l]], y[:, k])
            table[l, k] = fit.score(z_test[:, [l]], y_test[:, k])
    return table, float(gap(table).mean())


# Equal gains are split at random, which moves D by 0.004 (one standard deviation) from seed to seed.
SEEDS = range(8)


def dci(z, y, z_test, y_test):
    """Means over the seeds of importances, D, C and I."""
    found = [dci_of_seed(z, y, z_test, y_test, seed) for seed in SEEDS]
    return [np.mean(values, axis=0) if i == 0 else float(np.mean(values)) for i, values in enumerate(zip(*found))]


def dci_of_seed(z, y, z_test, y_test, seed):
    importances, accuracies = [], []
    for k in range(y.shape[1]):
        fit = GradientBoostingClassifier(random_state=seed).fit(z, y[:, k])
        importances.append(np.abs(fit.feature_importances_))
        accuracies.append(fit.score(z_test, y_test[:, k]))
    r = np.array(importances).T

    def aggregate(rows):
        p = rows + 1e-11
        p = p / p.sum(axis=1, keepdims=True)
        h = -(p * np.log(p)).sum(axis=1) / np.log(rows.shape[1])
        return float((rows.sum(axis=1) / rows.sum() * (1 - h)).sum())

    return r, aggregate(r), aggregate(r.T), float(np.mean(accuracies))


def case(name, code, seed, sizes=(3, 4, 6), n=(400, 200)):
    rng = np.random.default_rng(seed)
    parts = []
    for rows in n:
        y = np.stack([rng.integers(0, size, rows) for size in sizes], axis=1).astype(float)
        parts += [np.round(code(y, rng), 4), y]
    z, y, z_test, y_test = parts
    m, h = information(z, y)
    tc, wasserstein = gaussian(z)
    svm_table, svm = sap_svm(z, y, z_test, y_test)
    r, d, c, i = dci(z, y, z_test, y_test)
    r2 = np.array([[pearsonr(code, factor)[0] ** 2 for factor in y.T] for code in z.T])
    exact = {
        "mig": float((gap(m) / h).mean()),
        "mig-sup": float(gap((m / h).T).mean()),
        "modularity": float(modularity(m)),
        "sap-r2": float(gap(r2).mean()),
        "irs": float(irs(z, y)),
        "gaussian-total-correlation": float(tc),
        "gaussian-wasserstein": float(wasserstein),
        "mean-mutual-information": mean_information(z),
    }
    learned = {
        "explicitness": explicitness(z, y, z_test, y_test),
        "sap-svm": svm,
        "dci-disentanglement": d,
        "dci-completeness": c,
        "dci-informativeness": i,
    }
    print(name, exact, learned, file=sys.stderr)
    return {
        "name": name,
        "codes": z.tolist(),
        "factors": y.tolist(),
        "test_codes": z_test.tolist(),
        "test_factors": y_test.tolist(),
        "exact": exact,
        "learned": learned,
        "importances": r.tolist(),
        "svm_accuracies": svm_table.tolist(),
    }


def noisy(y, rng):
    scaled = (y - y.mean(axis=0)) / y.std(axis=0)
    return np.concatenate([scaled + 0.3 * rng.laplace(size=y.shape), rng.normal(size=(len(y), 1))], axis=1)


def turned(y, rng):
    z = noisy(y, rng)
    c, s = np.cos(0.35), np.sin(0.35)
    z[:, :2] = z[:, :2] @ np.array([[c, -s], [s, c]]).T
    return z


def warped(y, rng):
    z = noisy(y, rng)
    return np.stack([np.tanh(z[:, 0]), np.abs(z[:, 1]), z[:, 2] * z[:, 0], np.sin(z[:, 2]), z[:, 3]], axis=1)


def main():
    cases = [case("noisy", noisy, 1), case("turned", turned, 2), case("warped", warped, 3)]
    with open(sys.argv[1], "w") as out:
        json.dump({"made_by": "peers/representation_reference.py", "cases": cases}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
