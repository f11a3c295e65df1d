"""PyTorch's side of `cargo dev bench jacobian`: forward mode stacked by hand, eager and compiled, and vmap(jacfwd).

Weights of `compiled-frozen` are constants to the compiler, which then lays them out as it likes.

    python peers/bench/torch_worker.py FOLDER THREADS
"""

import itertools
import pathlib
import sys
import types

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from protocol import serve
from rules import Network

TORCH = types.SimpleNamespace(
    linear=F.linear,
    matmul=torch.matmul,
    tanh=torch.tanh,
    sigmoid=torch.sigmoid,
    exp=torch.exp,
    erf=torch.erf,
    relu=torch.relu,
    positive=lambda x: (x > 0).to(x.dtype),
    sqrt=torch.sqrt,
    rsqrt=torch.rsqrt,
    mean=lambda x: x.mean(dim=-1, keepdim=True),
    mean_of_products=lambda y, t: (y[:, None] * t).mean(dim=-1, keepdim=True),
    total=lambda x: x.sum(dim=-1, keepdim=True),
    softmax=lambda x: torch.softmax(x, dim=-1),
    permute=lambda x, order: x.permute(order),
    split=lambda x, sizes, axis: list(torch.split(x, sizes, dim=axis)),
    concat=lambda xs, axis: torch.cat(xs, dim=axis),
    expand=lambda x, shape: x.expand(shape),
    upsample=lambda x, factor: F.interpolate(x, scale_factor=factor, mode="nearest"),
    conv=lambda x, w, b, stride, pad, group: F.conv2d(x, w, b, stride, pad, groups=group),
    conv_transpose=lambda x, w, b, stride, pad, group: F.conv_transpose2d(x, w, b, stride, pad, groups=group),
)

# Images with their channels innermost, which some convolutions are faster in.
CHANNELS_LAST = types.SimpleNamespace(
    **{
        **vars(TORCH),
        "conv": lambda x, *rest: TORCH.conv(x.contiguous(memory_format=torch.channels_last), *rest),
        "conv_transpose": lambda x, *rest: TORCH.conv_transpose(x.contiguous(memory_format=torch.channels_last), *rest),
    }
)


class Decoder(torch.nn.Module):
    """The weights as buffers, which a compiler may then take for constants."""

    def __init__(self, network: Network, namespace, seeds):
        super().__init__()
        self.network, self.namespace = network, namespace
        self.names = {name: f"w{i}" for i, name in enumerate(network.weights)}
        for name, weight in network.weights.items():
            self.register_buffer(self.names[name], weight)
        self.register_buffer("seeds", seeds)

    def forward(self, z):
        weights = {name: getattr(self, buffer) for name, buffer in self.names.items()}
        return self.network.stacked(self.namespace, z, self.seeds, weights)


def prepare(folder: pathlib.Path, threads: int):
    def build(case: str, variant: str, dtype: str):
        kind = {"f32": torch.float32, "f64": torch.float64}[dtype]
        network = Network(onnx.load(folder / case / "model.onnx"), lambda array: torch.tensor(array, dtype=kind))
        points = np.fromfile(folder / case / "points.f64")
        d = onnx.load(folder / case / "model.onnx").graph.input[0].type.tensor_type.shape.dim[1].dim_value
        z = torch.tensor(points.reshape(-1, d), dtype=kind)
        seeds = torch.eye(d, dtype=kind)[None]
        images = any(step[0].startswith("Conv") for step in network.steps)
        if variant == "jacfwd":
            function = torch.func.vmap(torch.func.jacfwd(lambda z: (lambda out: (out, out))(network.single(TORCH, z)), has_aux=True))

            def call():
                with torch.inference_mode():
                    return function(z)[0]

            return call, lambda out: [np.moveaxis(j.numpy(), -1, 1) for j in out]
        if variant.endswith("channels-last") and not images:
            raise ValueError("no such form: there are no convolutions")
        if "channels-last" in variant:
            for name, weight in network.weights.items():
                if weight.dim() == 4:
                    network.weights[name] = weight.contiguous(memory_format=torch.channels_last)
        decoder = Decoder(network, CHANNELS_LAST if "channels-last" in variant else TORCH, seeds).eval()
        if variant.startswith("compiled"):
            # What was compiled before belongs to the code object, so each form gets its own.
            forward = Decoder.forward
            code = forward.__code__.replace(co_name=f"forward_{next(number)}")
            own = types.FunctionType(code, forward.__globals__)
            torch._inductor.config.freezing = variant == "compiled-frozen"
            run = torch.compile(types.MethodType(own, decoder), dynamic=False, fullgraph=True)
        else:
            run = decoder
        mode = torch.no_grad if variant.startswith("compiled") else torch.inference_mode

        def call():
            with mode():
                return run(z)[1]

        return call, lambda out: [j.expand((len(z), *j.shape[1:])).numpy() for j in out]

    number = itertools.count()
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    return build


if __name__ == "__main__":
    import torch._dynamo
    import torch._inductor.config

    threads = int(sys.argv[2])
    serve(f"PyTorch {torch.__version__}", prepare(pathlib.Path(sys.argv[1]), threads))
