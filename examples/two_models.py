"""Two models compared: the same VAE trained with a small and a large weight on the divergence.

    python examples/two_models.py [FOLDER]

A larger beta switches latents off; the entropies tell how many are left and how strongly those overlap.
"""

import sys
from pathlib import Path

import numpy as np
from torch_vae_atlas import train

import latlas


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for beta in (0.2, 8.0):
        _, decoder = train(beta)
        model = latlas.from_torch(decoder, latent_dim=6, name=f"beta {beta:g}")
        reports[beta] = latlas.run("entropy", model, samples=500)
        reports[beta].plot("entropy-spectrum").save(folder / f"two_models_beta_{beta:g}.svg")
    small, large = (np.sort(report["manifold-entropy"].value)[::-1] for report in reports.values())
    print("entropy of each latent, largest first, in nats")
    for name, values in (("beta 0.2", small), ("beta 8  ", large)):
        print(f"  {name}", "  ".join(f"{h:6.2f}" for h in values))
    print("total correlation", "  ".join(f"beta {beta:g}: {float(report['total-correlation']):.3f}" for beta, report in reports.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "latlas-out"))
