"""Exports small decoders with random weights through both of torch's ONNX exporters, with inputs and expected outputs.

    python make_exports.py FOLDER

writes NAME.EXPORTER.BATCH.onnx (EXPORTER: dynamo, script; BATCH: many, one), refused.NAME.onnx and exports.npz with keys
NAME.INPUT and NAME.OUTPUT: float64 results of the float32 weights.
Made with Python 3.11, torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, numpy 2.4.6.
"""

import copy
import io
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
POINTS = 3


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(2, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv(F.silu(self.norm(x)))


class Residual(nn.Module):
    """GroupNorm, nearest upsampling, and view, chunk and flip arithmetic."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6 * 4)
        self.block = Block(6)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.widen = nn.Conv2d(6, 8, 3, padding=1)
        self.last = nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, z):
        x = self.first(z)
        x = x.view(x.shape[0], 6, 2, 2)
        x = self.up(self.block(x))
        a, b = self.widen(x).chunk(2, dim=1)
        x = (a * torch.sigmoid(b)).flip(-1)
        n, c, h, w = x.shape
        x = x.view(n, c, h * w).permute(0, 2, 1).reshape(n, h, w, c).permute(0, 3, 1, 2)
        return torch.tanh(self.last(self.up(x)))


class Attention(nn.Module):
    """MultiheadAttention, causal attention, LayerNorm and GELU: the batch travels through merged axes."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 5 * 8)
        self.position = nn.Parameter(torch.randn(5, 8) * 0.3)
        self.attention = nn.MultiheadAttention(8, 2)
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.last = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 3))

    def forward(self, z):
        n = z.shape[0]
        x = self.first(z).view(n, 5, 8) + self.position
        y = self.norm1(x).transpose(0, 1)
        x = x + self.attention(y, y, y, need_weights=False)[0].transpose(0, 1)
        q, k, v = self.qkv(self.norm2(x)).view(n, 5, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + y.transpose(1, 2).reshape(n, 5, 8)
        return self.last(x)


def rational_quadratic_spline(x, widths, heights, slopes, bound, least=1e-3):
    """Durkan et al. 2019, "Neural spline flows", for x in [-bound, bound]."""
    bins = widths.shape[-1]
    widths = least + (1 - least * bins) * F.softmax(widths, dim=-1)
    heights = least + (1 - least * bins) * F.softmax(heights, dim=-1)

    def knots(sizes):
        cumulative = F.pad(torch.cumsum(sizes, dim=-1), pad=(1, 0), mode="constant", value=0.0)
        cumulative = 2 * bound * cumulative - bound
        return cumulative, cumulative[..., 1:] - cumulative[..., :-1]

    (left, widths), (bottom, heights) = knots(widths), knots(heights)
    slopes = least + F.softplus(F.pad(slopes, pad=(1, 1), mode="constant", value=0.54))
    index = torch.sum(x[..., None] >= left[..., :-1], dim=-1)[..., None] - 1

    def pick(table):
        return table.gather(-1, index)[..., 0]

    delta = heights / widths
    xi = (x - pick(left)) / pick(widths)
    d, s, s1, h = pick(delta), pick(slopes), pick(slopes[..., 1:]), pick(heights)
    flat = xi * (1 - xi)
    denominator = d + (s + s1 - 2 * d) * flat
    y = pick(bottom) + h * (d * xi.pow(2) + s * flat) / denominator
    numerator = d.pow(2) * (s1 * xi.pow(2) + 2 * d * flat + s * (1 - xi).pow(2))
    return y, torch.log(numerator) - 2 * torch.log(denominator)


class Spline(nn.Module):
    """A spline coupling that writes into the places that a mask names."""

    def __init__(self, bins=4, bound=1.5):
        super().__init__()
        self.bins, self.bound = bins, bound
        self.net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2 * (3 * bins - 1)))

    def forward(self, z):
        kept, x = z[:, :2], z[:, 2:]
        p = self.net(kept).reshape(z.shape[0], 2, 3 * self.bins - 1)
        w, h, s = p[..., : self.bins], p[..., self.bins : 2 * self.bins], p[..., 2 * self.bins :]
        inside = (x >= -self.bound) & (x <= self.bound)
        outside = ~inside
        y, log_det = torch.zeros_like(x), torch.zeros_like(x)
        y[outside] = x[outside]
        log_det[outside] = 0
        y[inside], log_det[inside] = rational_quadratic_spline(
            x[inside], w[inside, :], h[inside, :], s[inside, :], self.bound
        )
        return torch.cat([kept, y], dim=-1), log_det.sum(-1)


class Convolutional(nn.Module):
    """Transposed convolutions and BatchNorm in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.ConvTranspose2d(4, 6, 3), nn.BatchNorm2d(6), nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1, groups=2), nn.BatchNorm2d(4), nn.ELU(),
            nn.Conv2d(4, 2, 3, stride=2, padding=1), nn.Sigmoid(),
        )
        for layer in self.net:
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.5)
                layer.running_var.uniform_(0.5, 2)
                nn.init.normal_(layer.weight)
                nn.init.normal_(layer.bias)

    def forward(self, z):
        return self.net(z[:, :, None, None])


class Heads(nn.Module):
    """Two heads, Softplus, Where, clamps and a permutation of columns."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 10), nn.Softplus(), nn.Linear(10, 10), nn.SELU())
        self.mean, self.logvar = nn.Linear(10, 6), nn.Linear(10, 6)
        self.register_buffer("order", torch.tensor([3, 0, 5, 1, 4, 2]))

    def forward(self, z):
        h = self.body(torch.where(z > 0, torch.sqrt(z.clamp(min=1e-3)), z * 0.5))
        mean = self.mean(h)[:, self.order]
        return mean, torch.clamp(self.logvar(h), -6.0, 0.25)


class Sequence(nn.Module):
    """[T, N, d]: the batch on axis 1."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 2)
        self.mix = nn.Linear(3, 3)

    def forward(self, z):
        x = self.norm(self.first(z))
        x = self.mix(x.permute(1, 2, 0)).permute(2, 0, 1)
        return self.last(F.relu(x)).cumsum(0)


class MeanOverBatch(nn.Module):
    def forward(self, z):
        return z - z.mean(0)


class MixedReshape(nn.Module):
    def forward(self, z):
        return z.t().reshape(-1, 4).tanh()


class FlippedBatch(nn.Module):
    def forward(self, z):
        return z.flip(0) + z


class TrainingNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def forward(self, z):
        return self.norm(z)


MODELS = {
    "residual": (Residual, (4,), 0, ["x"]),
    "attention": (Attention, (4,), 0, ["x"]),
    "spline": (Spline, (4,), 0, ["x", "log_det"]),
    "convolutional": (Convolutional, (4,), 0, ["x"]),
    "heads": (Heads, (4,), 0, ["mean", "logvar"]),
    "sequence": (Sequence, (3, 4), 1, ["x"]),
}
REFUSED = {"mean": MeanOverBatch, "reshape": MixedReshape, "flip": FlippedBatch, "training": TrainingNorm}


def strip(model):
    """Takes out what only explains: it is larger than the model."""
    def graph(g):
        g.doc_string = ""
        del g.metadata_props[:]
        del g.value_info[:]
        for node in g.node:
            node.doc_string = ""
            del node.metadata_props[:]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    graph(attribute.g)
        for value in [*g.input, *g.output]:
            del value.metadata_props[:]
        for tensor in g.initializer:
            del tensor.metadata_props[:]
    graph(model.graph)
    del model.metadata_props[:]
    for function in model.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        del function.value_info[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    return model


def export(module, z, axis, outputs, dynamo, many, path, training=False):
    module = module.train() if training else module.eval()
    if dynamo:
        shapes = ({axis: torch.export.Dim.DYNAMIC if axis else "N"},) if many else None
        program = torch.onnx.export(
            module, (z,), input_names=["z"], output_names=outputs, dynamo=True, dynamic_shapes=shapes,
            external_data=False, verbose=False,
        )
        model = program.model_proto
    else:
        axes = {name: {axis: "N"} for name in ["z", *outputs]} if many else None
        buffer = io.BytesIO()
        mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
        torch.onnx.export(
            module, (z,), buffer, input_names=["z"], output_names=outputs, dynamo=False, dynamic_axes=axes,
            opset_version=17, training=mode, do_constant_folding=not training,
        )
        model = onnx.load_from_string(buffer.getvalue())
    onnx.save(strip(model), path)
    print(f"{path.name}: {path.stat().st_size} bytes, {len(model.graph.node)} nodes")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name, (build, shape, axis, outputs) in MODELS.items():
        torch.manual_seed(20261)
        module = build().eval()
        points = torch.randn(POINTS, *shape)
        # Sample first in the arrays, wherever the model wants its batch.
        exact = copy.deepcopy(module).double()
        results = exact(points.double().movedim(0, axis))
        results = results if isinstance(results, tuple) else (results,)
        arrays[f"{name}.z"] = points.numpy()
        for output, value in zip(outputs, results):
            arrays[f"{name}.{output}"] = value.detach().movedim(axis, 0).numpy()
        for dynamo in (True, False):
            for many in (True, False):
                kind = f"{'dynamo' if dynamo else 'script'}.{'many' if many else 'one'}"
                z = (points if many else points[:1]).movedim(0, axis).contiguous()
                try:
                    export(module, z, axis, outputs, dynamo, many, folder / f"{name}.{kind}.onnx")
                except Exception as error:
                    print(f"{name}.{kind}: not exported: {str(error)[:300]}")
    for name, build in REFUSED.items():
        torch.manual_seed(20261)
        z = torch.randn(POINTS, 4)
        export(build(), z, 0, ["x"], False, True, folder / f"refused.{name}.onnx", training=name == "training")
    np.savez(folder / "exports.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
