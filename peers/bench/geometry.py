"""The peer of `cargo dev bench geometry`: stochman (PyPI) on the built-in VAE of digits.

    geometry.py make FOLDER                     end points and velocities as raw float64, and a decoder of 256 latents
    geometry.py serve MODEL.onnx FOLDER         commands on standard input, one line of answer each:

    about                                       what runs here: words
    geodesics NODES STEPS GRID alone|together   8 pairs by connecting geodesics; seconds, how many it calls converged, and the length of each
                                                curve by 4,000 chords in double precision
    exp POINTS                                  16 geodesics by shooting over so many times; seconds and the end points

stochman runs as it is installed but for two things: `torchdiffeq`, which its shooting needs, is not among its requirements, and `torch.solve`,
which its shooting calls, was removed from PyTorch; it is put back in terms of `torch.linalg.solve`.
"""

import os
import sys
import time

import numpy as np
from protocol import answer_lines, apart, unknown

PAIRS, SHOTS, MANY = 8, 16, 1000


def make(folder):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(0)
    sets = {
        "from": rng.normal(size=(PAIRS, 2)),
        "to": rng.normal(size=(PAIRS, 2)),
        "start": rng.normal(size=(SHOTS, 2)),
        "velocity": rng.normal(size=(SHOTS, 2)),
        "many_from": rng.normal(size=(MANY, 2)),
        "many_to": rng.normal(size=(MANY, 2)),
        "faces_from": rng.normal(size=(1, 100)),
        "faces_to": rng.normal(size=(1, 100)),
        "wide": rng.normal(size=(2, 256)),
    }
    for name, values in sets.items():
        values.tofile(f"{folder}/{name}.f64")

    # 256 -> 256x4x4 -> 128, 64, 3 -> 3x32x32 with weights N(0, 1.8^2/fan-in).
    def weight(name, shape, fan_in):
        return numpy_helper.from_array((rng.normal(size=shape) * 1.8 / np.sqrt(fan_in)).astype(np.float32), name)

    weights = [
        weight("dense", (256, 4096), 256),
        weight("deconv0", (256, 128, 4, 4), 256 * 4),
        weight("deconv1", (128, 64, 4, 4), 128 * 4),
        weight("deconv2", (64, 3, 4, 4), 64 * 4),
        numpy_helper.from_array(np.array([-1, 256, 4, 4], dtype=np.int64), "square"),
    ]
    nodes = [
        helper.make_node("MatMul", ["z", "dense"], ["h"]),
        helper.make_node("Relu", ["h"], ["h+"]),
        helper.make_node("Reshape", ["h+", "square"], ["x0"]),
    ]
    for i in range(3):
        nodes.append(helper.make_node("ConvTranspose", [f"x{i}", f"deconv{i}"], [f"y{i}"], kernel_shape=[4, 4], strides=[2, 2], pads=[1] * 4))
        nodes.append(helper.make_node("Relu" if i < 2 else "Tanh", [f"y{i}"], [f"x{i + 1}"]))
    graph = helper.make_graph(
        nodes,
        "wide",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 256])],
        [helper.make_tensor_value_info("x3", TensorProto.FLOAT, ["n", 3, 32, 32])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), f"{folder}/wide.onnx")


def serve(model, folder):
    import onnx
    import stochman
    import torch
    from stochman.curves import CubicSpline
    from stochman.geodesic import geodesic_minimizing_energy
    from stochman.manifold import EmbeddedManifold

    answers = apart()
    torch.set_num_threads(1)
    torch.solve = lambda b, a: (torch.linalg.solve(a, b), None)
    tensors = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in onnx.load(model).graph.initializer}

    class Digits(EmbeddedManifold):
        """(mean, standard deviation) of the decoder: one hidden layer of tanh."""

        def __init__(self, dtype):
            self.w = {name: tensor.to(dtype) for name, tensor in tensors.items()}

        def embed(self, points, jacobian=False):
            w = self.w
            h = torch.tanh(points @ w["hidden.weight"] + w["hidden.bias"])
            mean = h @ w["mean.weight"] + w["mean.bias"]
            std = torch.exp(0.5 * (h @ w["logvar.weight"] + w["logvar.bias"]))
            x = torch.cat([mean, std], dim=-1)
            if not jacobian:
                return x
            dh = (1 - h * h).unsqueeze(-1) * w["hidden.weight"].t()
            rows = torch.cat([w["mean.weight"].t() @ dh, 0.5 * std.unsqueeze(-1) * (w["logvar.weight"].t() @ dh)], dim=-2)
            return x, rows

    single, double = Digits(torch.float32), Digits(torch.float64)

    def points(name):
        return torch.from_numpy(np.fromfile(f"{folder}/{name}.f64").reshape(-1, 2))

    def lengths(curve):
        with torch.no_grad():
            t = torch.linspace(0, 1, 4001, dtype=torch.float64)
            exact = curve.double()(t)
            exact = exact.unsqueeze(0) if exact.ndim == 2 else exact
            return double.curve_length(exact).tolist()

    def geodesics(nodes, steps, grid, together):
        a, b = points("from").float(), points("to").float()
        batches = [(a, b)] if together else [(a[i : i + 1], b[i : i + 1]) for i in range(PAIRS)]
        start = time.perf_counter()
        curves, good = [], 0
        for p, q in batches:
            if (nodes, steps, grid) == (5, 150, 20):
                curve, success = single.connecting_geodesic(p, q)
            else:
                curve = CubicSpline(p, q, num_nodes=nodes)
                success = geodesic_minimizing_energy(curve, single, max_iter=steps, eval_grid=grid)
            curves.append(curve)
            good += len(p) * int(success)
        seconds = time.perf_counter() - start
        return [seconds, good, *[x for curve in curves for x in lengths(curve)]]

    def shoot(times):
        z, v = points("start").float(), points("velocity").float()
        start = time.perf_counter()
        ends = [single.shooting_geodesic(z[i], v[i], t=torch.linspace(0, 1, times))[0][-1].flatten() for i in range(SHOTS)]
        return [time.perf_counter() - start, *torch.stack(ends).flatten().tolist()]

    def answer(words):
        match words:
            case ["about"]:
                return [f"stochman {stochman.__version__}, PyTorch {torch.__version__}"]
            case ["geodesics", nodes, steps, grid, how]:
                return geodesics(int(nodes), int(steps), int(grid), how == "together")
            case ["exp", times]:
                return shoot(int(times))
            case _:
                raise unknown(words)

    answer_lines(answers, answer)


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    make(*rest) if verb == "make" else serve(*rest)
