"""Decoders from JAX functions: converted in memory, and checked against the function before they are handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from latlas._decoder import Decoder, dtype_name


def from_jax(
    function: Callable[[Any], Any],
    latent_dim: int,
    *,
    dtype: Any = "f32",
    name: str | None = None,
    check_points: int = 5,
    random_state: int = 0,
    **options: Any,
) -> Decoder:
    """A decoder from a JAX function that maps latents ``[n, d]`` to data ``[n, …]``.

    The function is converted to ONNX by the package ``jax2onnx`` (``pip install latlas[jax]``), and what was converted is
    compared with the function at random points before it is handed over.

    Parameters
    ----------
    function : callable
        z → x over a batch; parameters are bound beforehand: ``lambda z: model.apply(params, z)``.
    latent_dim : int
        d.
    dtype : ``"f32"`` or ``"f64"``
        Type in which the decoder runs. ``"f64"`` needs JAX in its 64-bit mode.
    check_points : int
        Random latents at which the decoder is compared with the function.
    **options
        Those of :func:`latlas.load`.

    Raises
    ------
    NotImplementedError
        The function cannot be converted, or has an operator that is not supported: the message names it.
    ValueError
        The converted graph does not agree with the function.
    """
    try:
        import jax
        from jax2onnx import to_onnx  # type: ignore[import-not-found]
    except ImportError as error:
        raise ImportError("from_jax needs jax and jax2onnx: pip install latlas[jax]") from error
    wanted = dtype_name(dtype)
    precise = wanted == "f64"
    if precise and not jax.config.jax_enable_x64:
        raise ValueError("dtype 'f64' needs JAX in its 64-bit mode: jax.config.update('jax_enable_x64', True)")
    number = np.float64 if precise else np.float32
    advice = (
        "Jacobians computed elsewhere still work: latlas.run('entropy', jacobians=J) takes [n, D, d], "
        "such as jax.vmap(jax.jacfwd(f))(z)"
    )
    try:
        model = to_onnx(function, inputs=[("n", latent_dim)], enable_double_precision=precise)
        content = model.SerializeToString()
    except Exception as error:  # Converters raise whatever they like.
        text = str(error).strip().splitlines()
        raise NotImplementedError(f"jax2onnx cannot convert the function: {text[0][:300] if text else type(error).__name__}\n{advice}") from error
    try:
        decoder = Decoder(content, name=name or getattr(function, "__name__", "decoder"), dtype=wanted, **options)
    except NotImplementedError as error:
        raise NotImplementedError(f"{error}\n{advice}") from error
    z = np.random.default_rng(random_state).standard_normal((check_points, latent_dim)).astype(number)
    theirs = jax.tree_util.tree_leaves(function(z))[0]
    theirs = np.asarray(theirs).reshape(check_points, -1)
    ours = decoder.decode(z).reshape(check_points, -1)
    worst, scale = float(np.abs(ours - theirs).max()), max(1.0, float(np.abs(theirs).max()))
    if not worst <= (1e-9 if precise else 1e-4) * scale:
        raise ValueError(
            f"the converted graph differs from the function by {worst:.3g} at {check_points} random points, where values reach "
            f"{scale:.3g}"
        )
    return decoder
