"""Decoders from JAX functions, against JAX's own derivatives."""

import numpy as np
import pytest

import latlas

jax = pytest.importorskip("jax")
pytest.importorskip("jax2onnx")
import jax.numpy as jnp  # noqa: E402


def mlp(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    return [(jax.random.normal(k, (a, b)) / np.sqrt(a), jnp.zeros(b)) for k, a, b in zip(keys, sizes, sizes[1:], strict=False)]


def forward(params, z):
    for weights, bias in params[:-1]:
        z = jnp.tanh(z @ weights + bias)
    weights, bias = params[-1]
    return z @ weights + bias


def gated(params, z):
    """A second family: a softplus gate, a norm over features and a sigmoid."""
    (a, _), (b, _) = params
    h = jax.nn.softplus(z @ a)
    h = (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-5)
    return jax.nn.sigmoid(h @ b)


@pytest.mark.parametrize("family,sizes", [(forward, (4, 16, 16, 20)), (gated, (4, 16, 20))])
def test_jacobians_agree_with_jax(family, sizes):
    params = mlp(jax.random.key(0), sizes)

    def decode(z):
        return family(params, z)

    decoder = latlas.from_jax(decode, 4)
    z = jax.random.normal(jax.random.key(1), (7, 4))
    theirs = np.asarray(jax.vmap(jax.jacfwd(lambda one: decode(one[None])[0]))(z))
    ours = decoder.jacobian(z)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_double_precision_needs_jax_in_it():
    with pytest.raises(ValueError, match="jax_enable_x64"):
        latlas.from_jax(lambda z: z, 3, dtype="f64")
