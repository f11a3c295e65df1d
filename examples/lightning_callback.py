"""A callback of PyTorch Lightning that logs the entropy of each latent after every epoch.

    pip install lightning latlas[torch]
    python examples/lightning_callback.py [FOLDER]
"""

import sys
from pathlib import Path

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import latlas


class EntropySpectrum(lightning.Callback):
    """Logs ``entropy/latent_i`` and ``entropy/total_correlation`` of ``module.decoder`` after every epoch."""

    def __init__(self, latent_dim: int, samples: int = 200) -> None:
        self.latent_dim, self.samples, self.history = latent_dim, samples, []

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        decoder = latlas.from_torch(module.decoder, self.latent_dim)
        report = latlas.run(["manifold-entropy", "total-correlation"], decoder, samples=self.samples, progress=False)
        entropies = report["manifold-entropy"].value
        self.history.append(entropies)
        module.log_dict({f"entropy/latent_{i}": float(h) for i, h in enumerate(entropies)})
        module.log("entropy/total_correlation", float(report["total-correlation"]))


class Vae(lightning.LightningModule):
    def __init__(self, latents: int = 4) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 2 * latents))
        self.decoder = nn.Sequential(nn.Linear(latents, 64), nn.ELU(), nn.Linear(64, 64))

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        mean, logvar = self.encoder(batch[0]).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (logvar / 2).exp()
        error = 20 * ((batch[0] - self.decoder(z)) ** 2).sum(1)
        return (error + 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=2e-3)


def main(folder: Path) -> None:
    lightning.seed_everything(0)
    x = torch.tensor(latlas.data("digits"), dtype=torch.float32)
    spectrum = EntropySpectrum(latent_dim=4)
    trainer = lightning.Trainer(
        max_epochs=5, callbacks=[spectrum], default_root_dir=folder, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, accelerator="cpu",
    )
    trainer.fit(Vae(), DataLoader(TensorDataset(x), batch_size=64, shuffle=True))
    for epoch, entropies in enumerate(spectrum.history):
        print(f"epoch {epoch}: " + "  ".join(f"{h:6.2f}" for h in sorted(entropies, reverse=True)) + "  nats")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "latlas-out"))
