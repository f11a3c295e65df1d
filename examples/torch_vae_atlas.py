"""A VAE trained in torch in under a minute, and its atlas.

    python examples/torch_vae_atlas.py [FOLDER]

The decoder goes from torch to Latlas in memory. Its report shows which of six latents the model uses, and what they do.
"""

import sys
from pathlib import Path

import torch
from torch import nn

import latlas


def train(beta: float, latents: int = 6, epochs: int = 60, seed: int = 0) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of a VAE of the built-in digits, with a Gaussian likelihood of one learned spread."""
    torch.manual_seed(seed)
    x = torch.tensor(latlas.data("digits"), dtype=torch.float32)
    encoder = nn.Sequential(nn.Linear(64, 128), nn.ELU(), nn.Linear(128, 2 * latents))
    decoder = nn.Sequential(nn.Linear(latents, 128), nn.ELU(), nn.Linear(128, 64), nn.Sigmoid())
    log_spread = nn.Parameter(torch.tensor(-1.0))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters(), log_spread], lr=2e-3)
    for _ in range(epochs):
        for batch in x[torch.randperm(len(x))].split(64):
            mean, logvar = encoder(batch).chunk(2, dim=1)
            z = mean + torch.randn_like(mean) * (logvar / 2).exp()
            error = ((batch - decoder(z)) ** 2).sum(1) / (2 * (2 * log_spread).exp()) + 64 * log_spread
            divergence = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)
            loss = (error + beta * divergence).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return encoder, decoder


def main(folder: Path) -> None:
    encoder, decoder = train(beta=1.0)
    model = latlas.from_torch(decoder, latent_dim=6, name="digits VAE, six latents")
    print(model)
    report = latlas.report(model, data=latlas.data("digits"), samples=500, image="8x8x1")
    for estimate in (report["manifold-entropy"], report["total-correlation"]):
        print(estimate)
    folder.mkdir(parents=True, exist_ok=True)
    report.plot("entropy-spectrum").save(folder / "torch_vae_spectrum.svg")
    report.plot("traversals").save(folder / "torch_vae_traversals.svg")
    print("the page is", report.save(folder / "torch_vae_atlas") / "report.html")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "latlas-out"))
