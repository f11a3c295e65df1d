"""Disentanglement of given codes, with NumPy alone.

    python examples/disentanglement.py [FOLDER]

Codes of sprites that hold one factor each, and the same codes turned by 30 degrees: every score must tell them apart.
"""

import sys
from pathlib import Path

import numpy as np

import latlas


def main(folder: Path) -> None:
    factors = latlas.data("dsprites:demo:factors")[:, 1:]
    rng = np.random.default_rng(0)
    rows = rng.choice(len(factors), 600, replace=False)
    factors = factors[rows]
    codes = (factors - factors.mean(0)) / factors.std(0) + 0.05 * rng.standard_normal(factors.shape)
    angle = np.pi / 6
    turn = np.eye(codes.shape[1])
    turn[:2, :2] = turn[3:, 3:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    print(f"{'score':<22}{'one factor each':>16}{'turned':>10}")
    for name in ("mig", "dci_disentanglement", "modularity", "sap_r2"):
        score = getattr(latlas.metrics, name)
        print(f"{name:<22}{score(codes, factors):>16.3f}{score(codes @ turn, factors):>10.3f}")
    report = latlas.run(["mig", "dci-disentanglement", "modularity", "sap-r2"], codes=codes @ turn, factors=factors)
    folder.mkdir(parents=True, exist_ok=True)
    report.plot("code-scores").save(folder / "disentanglement_scores.svg")
    report.plot("code-factor-maps").save(folder / "disentanglement_maps.svg")
    print("the page is", report.save(folder / "disentanglement") / "report.html")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "latlas-out"))
