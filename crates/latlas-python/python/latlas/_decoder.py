"""Decoders and encoders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latlas import _latlas
from latlas._arrays import finite, rows

_DTYPES = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}


def dtype_name(dtype: Any) -> str:
    """``"f32"`` or ``"f64"`` from that name, a NumPy type or ``"float32"`` …"""
    if isinstance(dtype, str) and dtype in _DTYPES:
        return dtype
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    for name, known in _DTYPES.items():
        if found == known:
            return name
    raise ValueError(f"dtype {dtype!r}: there is 'f32' and 'f64'")


class _Model:
    """What decoders and encoders have in common: where they came from, so that they can be sent to other processes."""

    _kind: Any

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        name: str | None = None,
        dtype: Any = "f32",
        input: str | None = None,
        condition_input: str | None = None,
        output: str | None = None,
        mean: str | None = None,
        logvar: str | None = None,
        std: str | None = None,
        logits: str | None = None,
        log_det: str | None = None,
        from_tensor: Sequence[str] = (),
        to_tensor: Sequence[str] = (),
    ) -> None:
        ports = (input, condition_input, output, mean, logvar, std, logits, log_det)
        content = bytes(model) if isinstance(model, (bytes, bytearray, memoryview)) else None
        called = name or ("model" if content is not None else os.fspath(model))  # type: ignore[arg-type]
        self._origin = (content, called, dtype_name(dtype), ports, tuple(from_tensor), tuple(to_tensor))
        self._native = self._kind.load(called, content, *self._origin[2:4], list(from_tensor), list(to_tensor))

    @classmethod
    def _again(cls, content: bytes | None, name: str, dtype: str, ports: tuple[Any, ...], cut: tuple[Any, Any]) -> Any:
        names = ("input", "condition_input", "output", "mean", "logvar", "std", "logits", "log_det")
        options = dict(zip(names, ports, strict=True), from_tensor=cut[0], to_tensor=cut[1])
        return cls(name if content is None else content, name=name if content is not None else None, dtype=dtype, **options)

    def __reduce__(self) -> Any:
        content, name, dtype, ports, *cut = self._origin
        if content is None and not name.startswith("builtin:"):
            # Another machine has other files. A model with external data goes by its path, and must be there.
            path = Path(name)
            whole = path.read_bytes()
            try:
                self._kind.load(path.name, whole, dtype, ports, list(cut[0]), list(cut[1]))
                content, name = whole, path.name
            except (ValueError, OSError):
                name = str(path.resolve())
        return (type(self)._again, (content, name, dtype, ports, tuple(cut)))

    @property
    def name(self) -> str:
        """The file without its folder, or ``builtin:NAME``."""
        return self._native.name if self._native.name.startswith("builtin:") else Path(self._native.name).name

    @property
    def sha256(self) -> str:
        """Digest of the model file, in hexadecimal."""
        return self._native.sha256

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number type that the model runs in."""
        return _DTYPES[self._native.dtype]

    @property
    def latent_dim(self) -> int:
        """d."""
        return self._native.latent_dim


class Decoder(_Model):
    """A decoder x = f(z), f: ℝᵈ → ℝᴰ, that can be differentiated.

    Made by :func:`latlas.load`, :func:`latlas.from_bytes`, :func:`latlas.from_torch` and :func:`latlas.from_jax`.

    Latents are rows: ``[n, d]``; one latent ``[d]`` is taken as ``[1, d]``. Results are arrays of NumPy in the type that the
    decoder runs in (``dtype``), and have the shape of one decoded sample behind the axes that are named below. Arrays that are
    contiguous and of the decoder's type are read where they lie; torch tensors, JAX arrays and whatever has ``__dlpack__`` or
    ``__array__`` are taken as well. The interpreter's lock is released meanwhile, and Ctrl-C ends the work.
    """

    _kind = _latlas.Decoder
    _native: _latlas.Decoder

    def __repr__(self) -> str:
        shape = "×".join(str(size) for size in self.ambient_shape)
        condition = f", condition of {self.condition_dim}" if self.condition_dim else ""
        return f"<latlas.Decoder {self.name}: {self.latent_dim} latents → {shape}{condition}, {self.dtype}>"

    @property
    def ambient_shape(self) -> tuple[int, ...]:
        """The shape of one decoded sample."""
        return tuple(self._native.ambient_shape)

    @property
    def ambient_dim(self) -> int:
        """D, the product of :attr:`ambient_shape`."""
        return int(np.prod(self.ambient_shape))

    @property
    def condition_dim(self) -> int | None:
        """Values of one row of the condition; None for a decoder without one."""
        return self._native.condition_dim

    @property
    def heads(self) -> dict[str, str]:
        """What the outputs of the file were taken for: role → name of the output."""
        return dict(self._native.heads)

    @property
    def notes(self) -> list[str]:
        """What was guessed of the file, where there was something to choose."""
        return self._native.notes

    @property
    def has_kinks(self) -> bool:
        """Whether the derivative jumps somewhere (ReLU and the like)."""
        return self._native.has_kinks

    def _latents(self, z: Any, dtype: Any = None) -> NDArray[Any]:
        return finite(rows(z, self.latent_dim, "the decoder takes latents", dtype or self.dtype), "the latents")

    def _condition(self, condition: Any, n: int | None, dtype: Any = None) -> NDArray[Any] | None:
        if condition is None:
            return None
        given = rows(condition, self.condition_dim, "the decoder takes a condition", dtype or self.dtype)
        if n is None or len(given) == n:
            return given
        if len(given) == 1:
            return np.repeat(given, n, axis=0)
        raise ValueError(f"there are {n} latents and {len(given)} rows of the condition")

    def decode(self, z: Any, *, condition: Any = None) -> NDArray[Any]:
        """x = f(z): ``[n, d]`` → ``[n, *ambient_shape]``."""
        z = self._latents(z)
        x = self._native.ask("decode", z, self._condition(condition, len(z)), None)
        return x.reshape(len(z), *self.ambient_shape)

    __call__ = decode

    def jacobian(self, z: Any, *, condition: Any = None) -> NDArray[Any]:
        """Df(z): ``[n, d]`` → ``[n, *ambient_shape, d]``, a view of the columns, which lie contiguous as they are made."""
        z = self._latents(z)
        columns = self._native.ask("columns", z, self._condition(condition, len(z)), None)
        return np.moveaxis(columns.reshape(len(z), self.latent_dim, *self.ambient_shape), 1, -1)

    def jvp(self, z: Any, v: Any, *, condition: Any = None) -> NDArray[Any]:
        """Df(z) v: one tangent a sample ``[n, d]`` → ``[n, *ambient_shape]``, or k of them ``[n, k, d]`` → ``[n, k, *ambient_shape]``."""
        return self._along("jvp", z, v, self.latent_dim, self.ambient_shape, condition)

    def vjp(self, z: Any, u: Any, *, condition: Any = None) -> NDArray[Any]:
        """Df(z)ᵀ u: one cotangent a sample ``[n, *ambient_shape]`` (or flat, ``[n, D]``) → ``[n, d]``, or k of them with an axis k
        after the first."""
        return self._along("vjp", z, u, self.ambient_dim, (self.latent_dim,), condition)

    def _along(self, what: str, z: Any, vectors: Any, width: int, gives: tuple[int, ...], condition: Any) -> NDArray[Any]:
        from latlas._arrays import as_numpy

        z = self._latents(z)
        n, given = len(z), as_numpy(vectors)
        if n == 1 and given.size == width and given.ndim == (1 if what == "jvp" else max(1, len(self.ambient_shape))):
            given = given.reshape(1, width)
        k = given.size // (n * width) if n else 0
        is_one = given.ndim == 2 and given.shape[-1] == width or (what == "vjp" and given.shape[1:] == self.ambient_shape)
        if given.ndim < 2 or given.shape[0] != n or k * n * width != given.size or (given.ndim > 2 and not is_one and given.shape[1] != k) or k == 0:
            wanted = f"[{n}, {width}] or [{n}, k, {width}]"
            raise ValueError(f"vectors of the shape {wanted} are taken, got {list(given.shape)}")
        bundle = np.ascontiguousarray(given.reshape(n, k, width), dtype=self.dtype)
        out = self._native.ask(what, z, self._condition(condition, n), bundle)
        return out.reshape(n, *gives) if is_one else out.reshape(n, k, *gives)

    def metric(
        self,
        z: Any,
        *,
        condition: Any = None,
        embedding: str = "auto",
        ensemble: Sequence[Decoder] = (),
        feature: Encoder | None = None,
    ) -> NDArray[Any]:
        """The metric M(z) = DFᵀDF of the latents under an embedding F of the decoder's outputs: ``[n, d]`` → ``[n, d, d]``.

        ``embedding`` is ``auto`` (``gaussian`` where the decoder has a spread, else ``mean``), ``mean``, ``gaussian``,
        ``gaussian-fisher``, ``bernoulli``, ``categorical``, ``poisson``, ``ensemble`` or ``feature``.
        """
        z = self._latents(z, np.float64) if self.dtype == np.float64 else self._latents(z).astype(np.float64)
        n = None if embedding == "gaussian-fisher" else len(z)
        given = self._condition(condition, n, np.float64)
        metric = _latlas.metric(self._native, z, given, embedding, [member._native for member in ensemble], feature and feature._native)
        return metric.astype(self.dtype, copy=False)

    def exp(
        self,
        z: Any,
        v: Any,
        *,
        points: int | None = None,
        tolerance: float = 1e-8,
        max_steps: int = 10_000,
        domain: tuple[float, float] | None = None,
        condition: Any = None,
        embedding: str = "auto",
        return_all: bool = False,
    ) -> Any:
        """The exponential map Exp_z(v): where the geodesic ends that leaves z with velocity v. ``[n, d]``, in double precision.

        Rows that did not converge are NaN. With ``points`` the way there, ``[n, points, d]``. With ``return_all`` a dictionary:
        ``points``, ``velocity`` (v carried along), ``length``, ``error``, ``drift``, ``t``, ``converged``, ``status``, ``reason``.
        """
        z = self._latents(z, np.float64)
        v = finite(rows(v, self.latent_dim, "velocities have the width of the latents"), "the velocities")
        given = self._condition(condition, None, np.float64)
        found = _latlas.exp(self._native, z, v, points or 2, tolerance, max_steps, domain, given, embedding)
        for key in ("converged",):
            found[key] = np.asarray(found[key], dtype=bool)
        if return_all:
            return found
        if points:
            return found["points"]
        return np.where(found["converged"][:, None], found["end"], np.nan)

    def geodesic(
        self,
        a: Any,
        b: Any,
        *,
        points: int = 65,
        levels: Sequence[int] = (16, 64, 128),
        tolerance: float = 1e-6,
        max_steps: int = 100,
        domain: tuple[float, float] | None = None,
        codes: Any = None,
        condition: Any = None,
        embedding: str = "auto",
    ) -> dict[str, Any]:
        """Shortest curves between latents a and b ``[m, d]``, in double precision.

        Returns a dictionary of arrays: ``curves`` ``[m, points, d]``, ``velocity`` ``[m, d]``, and for each pair ``length`` and
        its ``length_error``, the bracket ``lower`` ≤ distance ≤ ``upper``, ``energy``, ``residual``, Morse ``index``, number of
        ``competing`` geodesics, ``converged``, ``status`` and ``reason`` in words. ``codes`` ``[n, d]`` lay a graph that gives
        further starts. ``tolerance`` is the relative error of a length that is asked for: two levels that agree to it confirm a curve; below
        1e-8 shooting does, as it does for :meth:`log` and :meth:`distance`.
        """
        return self._search(a, b, points, levels, tolerance, max_steps, domain, codes, condition, embedding)

    def _search(
        self,
        a: Any,
        b: Any,
        points: int | None,
        levels: Any,
        tolerance: float,
        max_steps: int,
        domain: Any,
        codes: Any,
        condition: Any,
        embedding: str,
    ) -> dict[str, Any]:
        if points is not None and points < 2:
            raise ValueError(f"points={points} make no curve; take two or more")
        if not 0 < tolerance < 1:
            raise ValueError(f"tolerance={tolerance} is no share of a length; take a number between 0 and 1")
        a, b = self._latents(a, np.float64), self._latents(b, np.float64)
        codes = None if codes is None else self._latents(codes, np.float64)
        given = self._condition(condition, None, np.float64)
        found = _latlas.geodesic(self._native, a, b, points, list(levels), tolerance, max_steps, domain, codes, given, embedding)
        found["converged"] = np.asarray(found["converged"], dtype=bool)
        for key in ("index", "competing"):
            found[key] = found[key].astype(np.int64)
        return found

    def log(self, a: Any, b: Any, **options: Any) -> NDArray[np.float64]:
        """The logarithmic map Log_a(b) ``[m, d]``, so that Exp_a(Log_a(b)) = b; NaN where no geodesic is confirmed.

        Options are those of :meth:`geodesic`.
        """
        found = self._search(a, b, None, *self._search_options(options))
        return np.where(found["converged"][:, None], found["velocity"], np.nan)

    def distance(self, a: Any, b: Any = None, *, neighbours: int = 15, return_bracket: bool = False, **options: Any) -> Any:
        """Distances between rows of a and b ``[m]``: lengths of the shortest geodesics that were found, with
        ``return_bracket`` the lower and the upper bound beside them.

        With a alone ``[n, d]``: lower and upper bounds of the distances between all its rows, twice ``[n, n]``, by a graph in
        which each row has so many ``neighbours``.
        """
        if b is None:
            condition, embedding = options.pop("condition", None), options.pop("embedding", "auto")
            if options:
                raise TypeError(f"distance of one set takes no {', '.join(options)}")
            given = self._condition(condition, None, np.float64)
            return _latlas.bracket(self._native, self._latents(a, np.float64), neighbours, given, embedding)
        found = self._search(a, b, None, *self._search_options(options))
        return (found["length"], found["lower"], found["upper"]) if return_bracket else found["length"]

    @staticmethod
    def _search_options(given: dict[str, Any]) -> tuple[Any, ...]:
        known: dict[str, Any] = {"levels": (16, 64, 128), "tolerance": 1e-10, "max_steps": 100, "domain": None, "codes": None}
        known.update({"condition": None, "embedding": "auto"})
        unknown = set(given) - set(known)
        if unknown:
            raise TypeError(f"no option {', '.join(sorted(unknown))}; there is {', '.join(known)}")
        return tuple({**known, **given}.values())


class Encoder(_Model):
    """An encoder x → q(z|x). Made by :func:`latlas.load_encoder`."""

    _kind = _latlas.Encoder
    _native: _latlas.Encoder

    def __repr__(self) -> str:
        return f"<latlas.Encoder {self.name}: {self.data_dim} values → {self.latent_dim} latents, {self.dtype}>"

    @property
    def data_dim(self) -> int:
        """D."""
        return self._native.data_dim

    def encode(self, x: Any, *, condition: Any = None) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Means ``[n, d]`` of q(z|x) for data ``[n, D]``, and log variances, if the encoder has them."""
        given = None if condition is None else rows(condition, None, "the condition")
        return self._native.encode(rows(x, self.data_dim, "the encoder takes data"), given)


def load(model: str | os.PathLike[str], **options: Any) -> Decoder:
    """A decoder from an ONNX file, or one that ships with Latlas: ``builtin:NAME`` (:func:`latlas.list` shows them).

    Parameters
    ----------
    model : path or ``builtin:NAME``
    dtype : ``"f32"`` (default) or ``"f64"``
        The number type that the decoder runs in.
    input, condition_input : str, optional
        Inputs that take the latents and the condition, where the file has several.
    output : str, optional
        Output to look at, as the file computes it.
    mean, logvar, std, logits, log_det : str, optional
        Outputs by role; guessed from names and shapes otherwise (:attr:`Decoder.notes` tells the guess).
    from_tensor, to_tensor : sequence of str
        Cut the model there.

    Raises
    ------
    FileNotFoundError, NotImplementedError
        No such file; operators that are not supported.
    ValueError
        A damaged file, or ports that are not clear.
    """
    return Decoder(model, **options)


def from_bytes(content: bytes, *, name: str = "model", **options: Any) -> Decoder:
    """A decoder from the bytes of an ONNX file; ``name`` stands for its path in reports. Options as for :func:`load`."""
    return Decoder(content, name=name, **options)


def load_encoder(model: str | os.PathLike[str] | bytes, **options: Any) -> Encoder:
    """An encoder from an ONNX file, its bytes, or ``builtin:NAME``. Options as for :func:`load`."""
    return Encoder(model, **options)
