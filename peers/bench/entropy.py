"""The model and the other side of `cargo dev bench entropy`.

    python peers/bench/entropy.py make FOLDER
    python peers/bench/entropy.py measure COMMAND...
    python peers/bench/entropy.py recipe FOLDER SAMPLES ROWS PAIRS

`make` writes FOLDER/flow.onnx, twelve affine couplings of 784 dimensions with a log-determinant, and its weights.
`measure` runs a command and prints its seconds and the most memory it had resident, in KiB.
`recipe` is what published notebooks do, in PyTorch on all processors: the rows of the Jacobian by reverse mode, one output at
a time over the whole batch; all Jacobians kept; log-volumes from the determinant of the Gram matrix; a loop over pairs of
latents. It times ROWS of the 784 rows and PAIRS of the pairs and fills the other rows with noise, so that its memory is that
of the whole. It prints JSON.
"""

import json
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np

HALF, WIDTH, COUPLINGS = 392, 512, 12


def make(folder: pathlib.Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(7)
    weights, nodes = {}, []

    def op(kind, *inputs, outputs=1, **attributes):
        names = [f"v{len(nodes)}_{i}" for i in range(outputs)]
        nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def linear(x, name, before, after, gain):
        weights[f"{name}_w"] = (random.normal(size=(after, before)) * gain / before**0.5).astype(np.float32)
        weights[f"{name}_b"] = (0.1 * random.normal(size=after)).astype(np.float32)
        return op("Gemm", x, f"{name}_w", f"{name}_b", transB=1)

    weights["halves"], weights["last"] = np.array([HALF, HALF], dtype=np.int64), np.array([1], dtype=np.int64)
    a, b = op("Split", "z", "halves", outputs=2, axis=1)
    log_det = None
    for k in range(COUPLINGS):
        h = op("Tanh", linear(a, f"in{k}", HALF, WIDTH, 1.0))
        s, t = op("Split", linear(h, f"out{k}", WIDTH, 2 * HALF, 0.5), "halves", outputs=2, axis=1)
        s = op("Tanh", s)
        part = op("ReduceSum", s, "last", keepdims=0)
        log_det = part if log_det is None else op("Add", log_det, part)
        a, b = op("Add", op("Mul", b, op("Exp", s)), t), a
    nodes.append(helper.make_node("Concat", [a, b], ["x"], axis=1))
    nodes.append(helper.make_node("Identity", [log_det], ["log_det"]))
    graph = helper.make_graph(
        nodes,
        "coupling_flow",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 2 * HALF])],
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2 * HALF]),
            helper.make_tensor_value_info("log_det", TensorProto.FLOAT, ["batch"]),
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "flow.onnx"))
    np.savez(folder / "weights.npz", **weights)


def measure(command: list) -> None:
    start = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    sys.exit(code)


def recipe(folder: pathlib.Path, samples: int, rows: int, pairs: int) -> None:
    import torch

    torch.manual_seed(0)
    weights = {name: torch.from_numpy(value) for name, value in np.load(folder / "weights.npz").items()}

    def flow(z):
        a, b = z.split(HALF, dim=1)
        for k in range(COUPLINGS):
            h = torch.tanh(torch.nn.functional.linear(a, weights[f"in{k}_w"], weights[f"in{k}_b"]))
            s, t = torch.nn.functional.linear(h, weights[f"out{k}_w"], weights[f"out{k}_b"]).split(HALF, dim=1)
            a, b = b * torch.exp(torch.tanh(s)) + t, a
        return torch.cat([a, b], dim=1)

    d = 2 * HALF
    z = torch.randn(samples, d, requires_grad=True)
    start = time.perf_counter()
    x = flow(z)
    forward = time.perf_counter() - start
    jacobian, times = [], []
    for k in range(d):
        if k < rows + 2:
            start = time.perf_counter()
            jacobian.append(torch.autograd.grad(x[:, k].sum(), z, retain_graph=True)[0])
            times.append(time.perf_counter() - start)
        else:
            jacobian.append(torch.randn(samples, d))
    row = float(np.median(times[2:]))
    start = time.perf_counter()
    jacobian = torch.stack(jacobian, dim=1)
    stacked = time.perf_counter() - start

    start = time.perf_counter()
    log_norms = jacobian.norm(dim=1).log()
    norms = time.perf_counter() - start
    few = jacobian[: min(samples, 40)]
    start = time.perf_counter()
    0.5 * torch.linalg.slogdet(few.transpose(1, 2) @ few)[1]
    volumes = (time.perf_counter() - start) * samples / len(few)

    chosen = np.random.default_rng(1).choice(d * (d - 1) // 2, size=pairs, replace=False)
    left, right = np.tril_indices(d, -1)
    start = time.perf_counter()
    for i, j in zip(left[chosen].tolist(), right[chosen].tolist()):
        two = jacobian[:, :, [i, j]]
        gram = two.transpose(1, 2) @ two
        (log_norms[:, i] + log_norms[:, j] - 0.5 * torch.logdet(gram)).mean().item()
    pair = (time.perf_counter() - start) / pairs
    print(
        json.dumps(
            {
                "forward": forward, "row": row, "stack": stacked, "norms": norms, "volumes": volumes, "pair": pair,
                "rows": rows, "pairs": pairs, "samples": samples, "d": d, "torch": torch.__version__,
                "threads": torch.get_num_threads(), "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            }
        )
    )


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "make":
        make(pathlib.Path(rest[0]))
    elif verb == "measure":
        measure(rest)
    else:
        recipe(pathlib.Path(rest[0]), *map(int, rest[1:]))
