"""Makes the decoders of `cargo dev bench jacobian` from fixed seeds, as ONNX files.

    python peers/bench/models.py FOLDER ROOT [NAME...]

writes FOLDER/NAME/model.onnx and FOLDER/NAME/points.f64, the latent points [n, d] as raw little-endian float64 that
float32 holds exactly, and FOLDER/NAME/case.json: n, d, parameters, and the floating point operations of the plain
forward mode, that is of every matrix product and convolution for the primal pass and, but for the first, for d tangents.
FOLDER/NAME/reference.f64 holds the Jacobians [n, d, D] of all outputs by PyTorch's vmap(jacfwd) in float64.
Points of networks with ReLU lie away from the kinks, so that float32 and float64 take the same branches.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """An ONNX graph under construction, and the operations that it will take."""

    def __init__(self, d: int, seed: int, opset: int = 17):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], {}
        self.d, self.opset = d, opset
        self.first, self.rest = 0, 0

    def weight(self, value) -> str:
        name = f"w{len(self.weights)}"
        value = np.asarray(value)
        self.weights[name] = value.astype(np.float32) if value.dtype.kind == "f" else value
        return name

    def normal(self, *shape: int, deviation: float) -> str:
        return self.weight(self.random.normal(size=shape) * deviation)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def products(self, multiply_adds: int, both_vary: bool = False) -> None:
        """Counts a product; a product of two values that both have tangents is two for each tangent."""
        if self.first == 0:
            self.first = 2 * multiply_adds
        else:
            self.rest += 2 * multiply_adds * (1 + self.d * (2 if both_vary else 1))

    def linear(self, x: str, before: int, after: int, gain: float = 1.0) -> str:
        self.products(before * after)
        w = self.normal(after, before, deviation=gain / before**0.5)
        return self.op("Gemm", x, w, self.normal(after, deviation=0.1), transB=1)

    def conv(self, x: str, before: int, after: int, side: int, gain: float = 1.0) -> str:
        self.products(before * after * 9 * side * side)
        w = self.normal(after, before, 3, 3, deviation=gain / (9 * before) ** 0.5)
        return self.op("Conv", x, w, self.normal(after, deviation=0.1), kernel_shape=[3, 3], pads=[1] * 4)

    def conv_transpose(self, x: str, before: int, after: int, side: int, gain: float = 2.0**0.5) -> str:
        """Kernel 4, stride 2, padding 1: twice the side."""
        self.products(before * after * 16 * side * side)
        w = self.normal(before, after, 4, 4, deviation=gain / (4 * before) ** 0.5)
        return self.op("ConvTranspose", x, w, self.normal(after, deviation=0.1), kernel_shape=[4, 4], strides=[2, 2], pads=[1] * 4)

    def reshape(self, x: str, *item: int) -> str:
        return self.op("Reshape", x, self.weight(np.array([-1, *item], dtype=np.int64)))

    def model(self, output: str, shape: list[int]) -> onnx.ModelProto:
        value = lambda name, dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *dims])
        self.nodes.append(helper.make_node("Identity", [output], ["x"]))
        tensors = [numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        graph = helper.make_graph(self.nodes, "decoder", [value("z", [self.d])], [value("x", shape)], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model


def mlp() -> tuple:
    """8-256-256-784, tanh, sigmoid at the output."""
    net = Network(8, seed=1)
    h = net.op("Tanh", net.linear("z", 8, 256))
    h = net.op("Tanh", net.linear(h, 256, 256))
    return net, net.op("Sigmoid", net.linear(h, 256, 784)), [784]


def conv() -> tuple:
    """10-256-1024, then four transposed convolutions 64-64-32-32-1 from 4×4 to 64×64, ReLU, sigmoid at the output."""
    net = Network(10, seed=2)
    h = net.op("Relu", net.linear("z", 10, 256, gain=2**0.5))
    h = net.op("Relu", net.linear(h, 256, 1024, gain=2**0.5))
    h = net.reshape(h, 64, 4, 4)
    for before, after, side in [(64, 64, 4), (64, 32, 8), (32, 32, 16)]:
        h = net.op("Relu", net.conv_transpose(h, before, after, side))
    return net, net.op("Sigmoid", net.conv_transpose(h, 32, 1, 32)), [1, 64, 64]


def flow() -> tuple:
    """Twelve affine couplings 392-512-784 of 784 dimensions: b ← b · exp(tanh s(a)) + t(a), then the halves change places."""
    net = Network(784, seed=3)
    a, b = net.op("Split", "z", net.weight(np.array([392, 392], dtype=np.int64)), outputs=2, axis=1)
    for _ in range(12):
        h = net.op("Tanh", net.linear(a, 392, 512))
        s, t = net.op("Split", net.linear(h, 512, 784, gain=0.5), net.weight(np.array([392, 392], dtype=np.int64)), outputs=2, axis=1)
        scaled = net.op("Mul", b, net.op("Exp", net.op("Tanh", s)))
        a, b = net.op("Add", scaled, t), a
    return net, net.op("Concat", a, b, axis=1), [784]


def swish(net: Network, x: str) -> str:
    return net.op("Mul", x, net.op("Sigmoid", x))


def group_norm(net: Network, x: str, channels: int, side: int) -> str:
    """As exporters write it: a reshape, an instance normalisation, a reshape, a scale and a shift."""
    groups = min(32, channels // 4)
    parts = net.reshape(x, groups, channels // groups * side * side)
    ones, zeros = net.weight(np.ones(groups)), net.weight(np.zeros(groups))
    normal = net.reshape(net.op("InstanceNormalization", parts, ones, zeros, epsilon=1e-5), channels, side, side)
    scale = net.weight(1 + 0.1 * net.random.normal(size=(channels, 1, 1)))
    return net.op("Add", net.op("Mul", normal, scale), net.normal(channels, 1, 1, deviation=0.1))


def residual(net: Network, x: str, channels: int, side: int) -> str:
    h = net.conv(swish(net, group_norm(net, x, channels, side)), channels, channels, side)
    h = net.conv(swish(net, group_norm(net, h, channels, side)), channels, channels, side)
    return net.op("Add", x, h)


def upsample(net: Network, x: str) -> str:
    scales = net.weight(np.array([1, 1, 2, 2], dtype=np.float32))
    return net.op("Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


def resnet() -> tuple:
    """64 to 32×32×3: residual blocks with GroupNorm and SiLU, nearest upsampling, five million parameters."""
    net = Network(64, seed=4)
    h = net.reshape(net.linear("z", 64, 256 * 16), 256, 4, 4)
    h = residual(net, residual(net, h, 256, 4), 256, 4)
    h = residual(net, net.conv(upsample(net, h), 256, 256, 8), 256, 8)
    h = residual(net, net.conv(upsample(net, h), 256, 64, 16), 64, 16)
    h = residual(net, net.conv(upsample(net, h), 64, 32, 32), 32, 32)
    h = net.conv(swish(net, group_norm(net, h, 32, 32)), 32, 3, 32)
    return net, net.op("Tanh", h), [3, 32, 32]


def transformer() -> tuple:
    """16 latents to 16 tokens of width 256, four blocks of 8 heads with LayerNorm and Gelu, 16 × 48 numbers out."""
    width, tokens, heads = 256, 16, 8
    net = Network(16, seed=5, opset=20)
    ones = lambda: (net.weight(1 + 0.1 * net.random.normal(size=width)), net.normal(width, deviation=0.1))

    def product(x: str, before: int, after: int) -> str:
        net.products(tokens * before * after)
        y = net.op("MatMul", x, net.normal(before, after, deviation=before**-0.5))
        return net.op("Add", y, net.normal(after, deviation=0.1))

    def norm(x: str) -> str:
        return net.op("LayerNormalization", x, *ones(), axis=-1, epsilon=1e-5)

    def by_head(x: str, order: list[int]) -> str:
        return net.op("Transpose", net.reshape(x, tokens, heads, width // heads), perm=order)

    h = net.reshape(net.linear("z", 16, tokens * width), tokens, width)
    h = net.op("Add", h, net.normal(tokens, width, deviation=0.5))
    for _ in range(4):
        split = net.weight(np.array([width] * 3, dtype=np.int64))
        q, k, v = net.op("Split", product(norm(h), width, 3 * width), split, outputs=3, axis=2)
        q, k, v = by_head(q, [0, 2, 1, 3]), by_head(k, [0, 2, 3, 1]), by_head(v, [0, 2, 1, 3])
        q = net.op("Mul", q, net.weight(np.array((width / heads) ** -0.5)))
        net.products(tokens * tokens * width, both_vary=True)
        weights = net.op("Softmax", net.op("MatMul", q, k), axis=-1)
        net.products(tokens * tokens * width, both_vary=True)
        mixed = net.op("Transpose", net.op("MatMul", weights, v), perm=[0, 2, 1, 3])
        h = net.op("Add", h, product(net.reshape(mixed, tokens, width), width, width))
        wide = net.op("Gelu", product(norm(h), width, 4 * width))
        h = net.op("Add", h, product(wide, 4 * width, width))
    return net, product(norm(h), width, 48), [tokens, 48]


def dcgan_operations(d: int) -> float:
    layers = [(512, 256, 4), (256, 128, 8), (128, 64, 16), (64, 3, 32)]
    return 2 * (d * 512 * 16 + (1 + d) * sum(a * b * 16 * side**2 for a, b, side in layers))


# Name: builder or file, samples.
MADE = {"mlp": (mlp, 1024), "conv": (conv, 32), "flow": (flow, 2), "resnet": (resnet, 2), "transformer": (transformer, 8)}
FILES = {
    "dcgan": ("data/dcgan_faces.onnx", 2, dcgan_operations(100)),
    "digits-1": ("crates/latlas/assets/digits_vae.onnx", 1, 2 * (2 * 128 + 3 * 128 * 128)),
    "digits-16": ("crates/latlas/assets/digits_vae.onnx", 16, 2 * (2 * 128 + 3 * 128 * 128)),
}
SEED = 20261
CANDIDATES = 8


def points(model: onnx.ModelProto, n: int, d: int) -> np.ndarray:
    """n points [n, d]; of eight times as many, those whose pre-activations keep farthest from the kinks."""
    import torch

    from rules import Network as Interpreter
    from torch_worker import TORCH

    z = np.random.default_rng(SEED).normal(size=(n, d)).astype(np.float32).astype(np.float64)
    kinked = [node for node in model.graph.node if node.op_type == "Relu"]
    if not kinked:
        return z
    z = np.random.default_rng(SEED).normal(size=(CANDIDATES * n, d)).astype(np.float32).astype(np.float64)
    network = Interpreter(model, lambda array: torch.tensor(array, dtype=torch.float64 if array.dtype.kind == "f" else None))
    closest = np.full(len(z), np.inf)

    def watch(x) -> None:
        flat = x.reshape(len(z), -1)
        closest[:] = np.minimum(closest, (flat.abs().min(dim=1).values / flat.std()).numpy())

    with torch.no_grad():
        network.values(TORCH, torch.tensor(z), watch={"Relu": watch})
    return z[np.argsort(-closest, kind="stable")[:n]]


def reference(folder: pathlib.Path, name: str) -> None:
    from torch_worker import prepare

    call, arrays = prepare(folder, 2)(name, "jacfwd", "f64")
    with open(folder / name / "reference.f64", "wb") as file:
        for array in arrays(call()):
            np.ascontiguousarray(array).tofile(file)


def main() -> None:
    folder, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for name in sys.argv[3:] or [*MADE, *FILES]:
        if name in MADE:
            build, n = MADE[name]
            net, output, shape = build()
            model, operations = net.model(output, shape), net.first + net.rest
        else:
            file, n, operations = FILES[name]
            model = onnx.load(root / file)
        d = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        onnx.save(model, target / "model.onnx")
        points(model, n, d).tofile(target / "points.f64")
        parameters = sum(int(np.prod(t.dims)) for t in model.graph.initializer if t.data_type == TensorProto.FLOAT)
        facts = {"n": n, "d": d, "parameters": parameters, "operations": float(operations * n)}
        reference(folder, name)
        (target / "case.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
