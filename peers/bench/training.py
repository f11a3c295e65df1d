"""The peer of `cargo dev bench training`: the same models trained by PyTorch, eager.

    training.py THREADS          commands on standard input, one line of answer each:

    about                        what runs here: words
    data CASE ROWS FILE          the rows of a case, raw float32
    train CASE SEED EPOCHS       seconds of all steps, steps, the mean loss of the last epoch

Architectures, starts, batches, the optimiser and the losses are those of `crates/latlas/benches/training_worker.rs`. The total correlation of
a flow takes the Jacobian of its decoder by reverse mode, one output at a time, and is differentiated once more: the fastest of the forms of
PyTorch that were tried.
"""

import math
import sys
import time

import numpy as np
import torch
from protocol import answer_lines, apart, unknown
from torch import nn
from torch.nn import functional as F

LEAST = 1e-3


class Vae(nn.Module):
    """A Bernoulli VAE: its encoder and decoder, and the heads between them."""

    def __init__(self, encoder, features, latent, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean, self.logvar = nn.Linear(features, latent), nn.Linear(features, latent)

    def forward(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        logits = self.decoder(z)
        reconstruction = (F.softplus(logits) - x * logits).flatten(1).sum(1)
        rate = 0.5 * (mean * mean + logvar.exp() - logvar - 1.0).sum(1)
        return (reconstruction + rate).mean()


def mlp():
    encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU())
    return Vae(encoder, 256, 2, nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, 784)))


def conv():
    down, last = [], 1
    for channels in (32, 32, 64, 64):
        down += [nn.Conv2d(last, channels, 4, 2, 1), nn.ReLU()]
        last = channels
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU())
    up = [nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 1024), nn.Unflatten(1, (64, 4, 4))]
    for channels in (64, 32, 32, 1):
        up += [nn.ReLU(), nn.ConvTranspose2d(last, channels, 4, 2, 1)]
        last = channels
    return Vae(encoder, 256, 10, nn.Sequential(*up))


class Coupling(nn.Module):
    """A monotone rational-quadratic spline of the second value whose parameters are made of the first."""

    def __init__(self, bins=4, bound=4.0, hidden=64):
        super().__init__()
        self.bins, self.bound = bins, bound
        last = nn.Linear(hidden, 3 * bins - 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last)

    def knots(self, raw):
        sizes = 2 * self.bound * ((1 - LEAST * self.bins) * torch.softmax(raw, 1) + LEAST)
        return sizes, F.pad(torch.cumsum(sizes, 1), (1, 0)) - self.bound

    def forward(self, x, inverse):
        kept, changed = x[:, :1], x[:, 1:]
        raw = self.network(kept)
        widths, x_knots = self.knots(raw[:, : self.bins])
        heights, y_knots = self.knots(raw[:, self.bins : 2 * self.bins])
        slopes = F.softplus(raw[:, 2 * self.bins :]) * ((1 - LEAST) / math.log(2)) + LEAST
        slopes = F.pad(slopes, (1, 1), value=1.0)
        clipped = changed.clamp(-self.bound, self.bound)
        at = ((y_knots if inverse else x_knots)[:, 1:-1] <= clipped).sum(1, keepdim=True)
        w, h, x0, y0 = (table.gather(1, at) for table in (widths, heights, x_knots, y_knots))
        left, right = slopes.gather(1, at), slopes.gather(1, at + 1)
        s = h / w
        bend = left + right - 2 * s
        if inverse:
            offset = clipped - y0
            a, b, c = h * (s - left) + offset * bend, h * left - offset * bend, -s * offset
            theta = 2 * c / (-b - torch.sqrt((b * b - 4 * a * c).clamp_min(1e-30)))
            value = x0 + theta * w
        else:
            theta = (clipped - x0) / w
            value = y0 + h * (s * theta**2 + left * theta * (1 - theta)) / (s + bend * theta * (1 - theta))
        mixed = theta * (1 - theta)
        log_slope = 2 * (torch.log(s) - torch.log(s + bend * mixed))
        log_slope = log_slope + torch.log(right * theta**2 + 2 * s * mixed + left * (1 - theta) ** 2)
        inside = changed.abs() < self.bound
        value = torch.where(inside, value, changed)
        log_slope = torch.where(inside, -log_slope if inverse else log_slope, torch.zeros_like(log_slope))
        return torch.cat([kept, value], 1), log_slope[:, 0]


class Flow(nn.Module):
    """Eight couplings with the values in turn; the loss with or without the total correlation."""

    def __init__(self, weight):
        super().__init__()
        self.blocks, self.weight = nn.ModuleList(Coupling() for _ in range(8)), weight

    def forward(self, x):
        z, log_det = x, 0.0
        for block in self.blocks:
            z, part = block(z.flip(1), False)
            log_det = log_det + part
        loss = 0.5 * (z * z).sum(1) + math.log(2 * math.pi) - log_det
        if self.weight:
            if not z.requires_grad:
                z.requires_grad_()
            back, volume = z, 0.0
            for block in reversed(self.blocks):
                back, part = block(back, True)
                back, volume = back.flip(1), volume + part
            rows = [torch.autograd.grad(back[:, i].sum(), z, create_graph=True)[0] for i in range(2)]
            norms = (rows[0] ** 2 + rows[1] ** 2).log().sum(1)
            loss = loss + self.weight * (0.5 * norms - volume)
        return loss.mean()


CASES = {"mlp": (mlp, 128, 0.0), "conv": (conv, 64, 0.0), "flow": (lambda: Flow(0.0), 1024, 1.0), "flow-tc": (lambda: Flow(0.1), 1024, 1.0)}


def train(case, rows, seed, epochs):
    make, batch, clip = CASES[case]
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    per_epoch = len(rows) // batch
    last = 0.0
    start = time.perf_counter()
    for epoch in range(epochs):
        order = torch.randperm(len(rows))
        for step in range(per_epoch):
            x = rows[order[step * batch : (step + 1) * batch]]
            optimizer.zero_grad()
            loss = model(x)
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            if epoch == epochs - 1:
                last += loss.item() / per_epoch
    return [time.perf_counter() - start, epochs * per_epoch, last]


def serve():
    answers = apart()
    torch.set_num_threads(int(sys.argv[1]))
    sets = {}

    def answer(words):
        match words:
            case ["about"]:
                return [f"PyTorch {torch.__version__}"]
            case ["data", case, rows, file]:
                values = torch.from_numpy(np.fromfile(file, dtype=np.float32).reshape(int(rows), -1))
                sets[case] = values.reshape(-1, 1, 64, 64) if case == "conv" else values
                return []
            case ["train", case, seed, epochs]:
                return train(case, sets[case], int(seed), int(epochs))
            case _:
                raise unknown(words)

    answer_lines(answers, answer)


if __name__ == "__main__":
    serve()
