"""JAX's side of `cargo dev bench jacobian`: jit of forward mode stacked by hand, and jit(vmap(jacfwd)).

    python peers/bench/jax_worker.py FOLDER

The number of threads is set by the environment (`XLA_FLAGS`) before JAX starts.
"""

import pathlib
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from protocol import serve
from rules import Network

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

LAYOUT = ("NCHW", "OIHW", "NCHW")


def convolve(x, w, b, stride, pad, group, dilation=(1, 1)):
    y = jax.lax.conv_general_dilated(
        x, w, stride, [(p, p) for p in pad], lhs_dilation=dilation, dimension_numbers=LAYOUT, feature_group_count=group
    )
    return y if b is None else y + b[:, None, None]


def flipped(w):
    """[in, out, k, k] of a transposed convolution as [out, in, k, k] of a convolution."""
    return jnp.flip(w, (2, 3)).transpose(1, 0, 2, 3)


def conv_transpose(x, w, b, stride, pad, group):
    """One convolution of the input with zeros between its pixels."""
    assert group == 1
    border = [k - 1 - pad for k in w.shape[2:]]
    return convolve(x, flipped(w), b, (1, 1), border, 1, dilation=stride)


def conv_transpose_by_parity(x, w, b, stride, pad, group):
    """The same without zeros: a product with all taps at the centre, or a small convolution for each parity of output rows
    and columns."""
    assert group == 1
    if stride == (1, 1) and x.shape[2:] == (1, 1) and pad == 0:
        y = (x[:, :, 0, 0] @ w.reshape(w.shape[0], -1)).reshape((-1, *w.shape[1:]))
        return y if b is None else y + b[:, None, None]
    if stride != (2, 2) or w.shape[2:] != (4, 4) or pad != 1:
        return conv_transpose(x, w, b, stride, pad, group)
    n, _, h, wide = x.shape
    k = flipped(w)
    parts = []
    for i in range(2):
        for j in range(2):
            border = [(1 - i, i), (1 - j, j)]
            parts.append(jax.lax.conv_general_dilated(x, k[:, :, i::2, j::2], (1, 1), border, dimension_numbers=LAYOUT))
    y = jnp.stack(parts).reshape(2, 2, n, -1, h, wide).transpose(2, 3, 4, 0, 5, 1).reshape(n, -1, 2 * h, 2 * wide)
    return y if b is None else y + b[:, None, None]


PLAIN = types.SimpleNamespace(
    linear=lambda x, w, b: x @ w.T if b is None else x @ w.T + b,
    matmul=jnp.matmul,
    tanh=jnp.tanh,
    sigmoid=jax.nn.sigmoid,
    exp=jnp.exp,
    erf=jax.scipy.special.erf,
    relu=lambda x: jnp.maximum(x, 0),
    positive=lambda x: (x > 0).astype(x.dtype),
    sqrt=jnp.sqrt,
    rsqrt=jax.lax.rsqrt,
    mean=lambda x: x.mean(axis=-1, keepdims=True),
    # As a product and its mean over an axis this is wrong in float32 with JAX 0.10.2: by a fusion with YNNPACK.
    mean_of_products=lambda y, t: jnp.einsum("n...c,mk...c->nk...", y, t)[..., None] / y.shape[-1],
    total=lambda x: x.sum(axis=-1, keepdims=True),
    softmax=lambda x: jax.nn.softmax(x, axis=-1),
    permute=jnp.transpose,
    split=lambda x, sizes, axis: jnp.split(x, list(np.cumsum(sizes)[:-1]), axis=axis),
    concat=lambda xs, axis: jnp.concatenate(xs, axis=axis),
    expand=jnp.broadcast_to,
    upsample=lambda x, factor: jnp.repeat(jnp.repeat(x, factor, axis=2), factor, axis=3),
    conv=lambda x, w, b, stride, pad, group: convolve(x, w, b, stride, (pad, pad), group),
    conv_transpose=conv_transpose,
)

BY_PARITY = types.SimpleNamespace(**{**vars(PLAIN), "conv_transpose": conv_transpose_by_parity})


def prepare(folder: pathlib.Path):
    def build(case: str, variant: str, dtype: str):
        kind = {"f32": np.float32, "f64": np.float64}[dtype]
        model = onnx.load(folder / case / "model.onnx")
        network = Network(model, lambda array: jnp.asarray(array.astype(kind)))
        d = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
        z = jnp.asarray(np.fromfile(folder / case / "points.f64").reshape(-1, d).astype(kind))
        transposed = any(step[0] == "ConvTranspose" for step in network.steps)
        if variant.endswith("by-parity") and not transposed:
            raise ValueError("no such form: there are no transposed convolutions")
        namespace = BY_PARITY if variant.endswith("by-parity") else PLAIN
        if variant.startswith("jacfwd"):
            def both(z):
                out = network.single(namespace, z)
                return out, out

            function = jax.jit(jax.vmap(jax.jacfwd(both, has_aux=True)))
            call = lambda: jax.block_until_ready(function(z))[0]
            return call, lambda out: [np.moveaxis(np.asarray(j), -1, 1) for j in out]
        seeds = jnp.eye(d, dtype=kind)[None]
        stacked = jax.jit(lambda z: network.stacked(namespace, z, seeds))
        call = lambda: jax.block_until_ready(stacked(z))[1]
        return call, lambda out: [np.broadcast_to(np.asarray(j), (len(z), *j.shape[1:])) for j in out]

    return build


if __name__ == "__main__":
    serve(f"JAX {jax.__version__}", prepare(pathlib.Path(sys.argv[1])))
