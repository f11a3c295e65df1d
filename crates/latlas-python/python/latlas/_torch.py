"""Decoders from torch modules: exported in memory, and checked against the module before they are handed over."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from latlas._decoder import Decoder, dtype_name

_ADVICE = (
    "Jacobians computed elsewhere still work: latlas.run('entropy', jacobians=J) takes [n, D, d], "
    "such as torch.func.vmap(torch.func.jacfwd(f))(z)"
)
# Outputs by name; the names are those that Latlas recognises.
_DISTRIBUTION_HEADS = ("mean", "logvar", "std", "logits")


def from_torch(
    module: Any,
    latent_dim: int | Sequence[int],
    *,
    condition_dim: int | Sequence[int] | None = None,
    outputs: Sequence[str] | None = None,
    dtype: Any = None,
    name: str | None = None,
    check_points: int = 5,
    random_state: int = 0,
    **options: Any,
) -> Decoder:
    """A decoder from a torch module that maps latents ``[n, d]`` to data.

    The module is exported to ONNX in memory, in evaluation mode, and what was exported is compared with the module at random
    points before it is handed over.

    Parameters
    ----------
    module : torch.nn.Module or callable
        z → x; with ``condition_dim``, (z, c) → x. It may give a tensor, a pair (mean, log variance), a mapping or named tuple of
        tensors, or a ``torch.distributions`` distribution: its mean with its spread or its logits.
    latent_dim : int or shape
        d, or the shape of one latent.
    condition_dim : int or shape, optional
        The same of the condition.
    outputs : sequence of str, optional
        Roles of several outputs in order, among ``mean``, ``logvar``, ``std``, ``logits``, ``log_det``; two unnamed outputs of one
        shape are taken for mean and log variance.
    dtype : ``"f32"`` or ``"f64"``, optional
        Type in which the decoder runs; that of the module's parameters by default. With ``"f64"`` a copy of the module is
        converted to double precision first.
    check_points : int
        Random latents at which the decoder is compared with the module.
    **options
        Those of :func:`latlas.load`.

    Raises
    ------
    NotImplementedError
        The module cannot be exported, or has an operator that is not supported: the message names it.
    ValueError
        The exported graph does not agree with the module, or the module draws random numbers.
    """
    import torch

    module = module if isinstance(module, torch.nn.Module) else _Function(module)
    # A copy: whatever happens here, the user's module stays as it is.
    parameters = [p for p in module.parameters() if p.is_floating_point()]
    own = torch.float64 if parameters and parameters[0].dtype == torch.float64 else torch.float32
    wanted = ("f64" if own == torch.float64 else "f32") if dtype is None else dtype_name(dtype)
    runs_in = torch.float64 if wanted == "f64" else torch.float32
    if module.training and any(True for part in module.modules() if _differs_in_training(part)):
        warnings.warn("the module is in training mode; Latlas exports a copy in evaluation mode", UserWarning, stacklevel=2)
    called = name or type(module).__name__
    module = copy.deepcopy(module).eval().cpu().to(runs_in)
    shape = (latent_dim,) if isinstance(latent_dim, int) else tuple(latent_dim)
    shapes = [shape] + ([] if condition_dim is None else [(condition_dim,) if isinstance(condition_dim, int) else tuple(condition_dim)])
    generator = torch.Generator().manual_seed(random_state)

    def points(n: int) -> list[Any]:
        return [torch.randn((n, *shape), generator=generator, dtype=runs_in) for shape in shapes]

    with _plain_distributions(), torch.no_grad():
        wrapped = _Heads(module, outputs)
        sample = points(3)
        first, second = wrapped(*sample), wrapped(*sample)
        if any(not torch.equal(a, b) for a, b in zip(first, second, strict=True)):
            raise ValueError("the module gives other values each time: it draws random numbers; give its deterministic part")
        names, notes = wrapped.names, wrapped.notes
        failures: list[Exception] = []
        found: list[tuple[float, Decoder]] = []
        for dynamo in (False, True):
            try:
                content = _export(wrapped, tuple(sample), names, dynamo)
                decoder = Decoder(content, name=called, dtype=wanted, **options)
                found.append((_check(decoder, wrapped, points, names, check_points, options), decoder))
            except (NotImplementedError, ValueError) as error:
                failures.append(error)
                continue
            except ImportError as error:
                failures.append(NotImplementedError(f"torch.onnx needs the package {error.name}: pip install latlas[torch]"))
                continue
            # Exporters may write the numbers of Python in single precision; the other one is asked where that shows.
            if wanted == "f32" or found[-1][0] <= 1e-12:
                break
        if found:
            decoder = min(found, key=lambda one: one[0])[1]
            decoder._said = notes  # type: ignore[attr-defined]
            return decoder
    worst = failures[0]
    raise type(worst)(f"{worst}\n{_ADVICE}") from worst


class _Function:
    """Stands for a callable until torch is there."""

    def __new__(cls, function: Any) -> Any:
        import torch

        class Function(torch.nn.Module):
            def forward(self, *given: Any) -> Any:
                return function(*given)

        Function.__name__ = getattr(function, "__name__", "decoder")
        return Function()


def _differs_in_training(part: Any) -> bool:
    import torch

    return isinstance(part, (torch.nn.modules.dropout._DropoutNd, torch.nn.modules.batchnorm._NormBase))


class _Heads:
    """A module whose outputs are flat tensors with names."""

    def __new__(cls, module: Any, outputs: Sequence[str] | None) -> Any:
        import torch

        class Heads(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.module = module
                self.names: list[str] = []
                self.notes: list[str] = []

            def forward(self, *given: Any) -> tuple[Any, ...]:
                named, self.notes = heads_of(self.module(*given), outputs)
                self.names = list(named)
                return tuple(named.values())

        return Heads().eval()


def heads_of(out: Any, outputs: Sequence[str] | None) -> tuple[dict[str, Any], list[str]]:
    """The tensors of an output by the names that Latlas gives them, and what was guessed."""
    import torch
    from torch.distributions import Distribution

    if isinstance(out, Distribution):
        return _of_distribution(out)
    if isinstance(out, torch.Tensor):
        return {(outputs[0] if outputs else "x"): out}, []
    if hasattr(out, "_asdict"):
        out = out._asdict()
    elif not isinstance(out, (Mapping, tuple, list)) and hasattr(out, "__dict__"):
        out = {key: value for key, value in vars(out).items() if isinstance(value, (torch.Tensor, Distribution))}
    if isinstance(out, Mapping):
        out = {key: value for key, value in out.items() if value is not None}
        if outputs is None:
            named: dict[str, Any] = {}
            for key, value in out.items():
                named.update(_of_distribution(value)[0] if isinstance(value, Distribution) else {str(key): value})
            return named, [f"outputs by name: {', '.join(named)}"]
        out = tuple(out.values())
    if isinstance(out, (tuple, list)) and out and isinstance(out[0], Distribution):
        return _of_distribution(out[0])
    if not isinstance(out, (tuple, list)) or not all(isinstance(value, torch.Tensor) for value in out) or not out:
        raise TypeError(f"the module gives a {type(out).__name__}, expected tensors, a mapping of them or a distribution")
    if outputs is not None:
        if len(outputs) != len(out):
            raise ValueError(f"the module gives {len(out)} tensors, outputs names {len(outputs)}")
        return dict(zip(outputs, out, strict=True)), []
    if len(out) == 1:
        return {"x": out[0]}, []
    if len(out) == 2 and out[0].shape == out[1].shape:
        return {"mean": out[0], "logvar": out[1]}, ["two outputs of one shape: taken for mean and log variance (outputs= names others)"]
    return {"x" if i == 0 else f"output{i}": value for i, value in enumerate(out)}, ["the first of several outputs is x (outputs= names others)"]


def _of_distribution(given: Any) -> tuple[dict[str, Any], list[str]]:
    import torch
    from torch import distributions

    kind = type(given).__name__
    while isinstance(given, distributions.Independent):
        given = given.base_dist
        kind = f"{kind} of {type(given).__name__}"
    note = [f"a distribution ({kind})"]
    if isinstance(given, distributions.Normal):
        return {"mean": given.loc, "std": given.scale}, note
    if isinstance(given, (distributions.Bernoulli, distributions.ContinuousBernoulli)):
        return {"mean": torch.sigmoid(given.logits), "logits": given.logits}, note
    if isinstance(given, (distributions.Categorical, distributions.OneHotCategorical)):
        return {"mean": torch.softmax(given.logits, -1), "logits": given.logits}, note
    try:
        mean = given.mean
    except NotImplementedError:
        raise TypeError(f"a {kind} has no mean in closed form; give the tensor that is to be measured") from None
    with contextlib.suppress(NotImplementedError):
        return {"mean": mean, "std": given.stddev.expand_as(mean)}, note
    return {"mean": mean}, note


@contextlib.contextmanager
def _plain_distributions() -> Iterator[None]:
    """Without the checks of arguments, which ask for values and cannot be exported."""
    import torch

    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(before)


def _export(module: Any, sample: tuple[Any, ...], names: list[str], dynamo: bool) -> bytes:
    import torch

    inputs = ["z", "condition"][: len(sample)]
    buffer = io.BytesIO()
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            if dynamo:
                batch = torch.export.Dim("n", min=1)
                program = torch.onnx.export(
                    module, sample, dynamo=True, input_names=inputs, output_names=names, verbose=False,
                    dynamic_shapes={"given": tuple({0: batch} for _ in sample)},
                )
                program.save(buffer)
            else:
                torch.onnx.export(
                    module, sample, buffer, dynamo=False, input_names=inputs, output_names=names, opset_version=17,
                    dynamic_axes={port: {0: "n"} for port in [*inputs, *names]},
                )
    except ImportError:
        raise
    except Exception as error:  # Exporters raise whatever they like.
        text = str(error).strip()
        operator = re.search(r"(?:operator|op|node) '?((?:aten|onnx|prims|torch|torchvision)[:.][\w:.]+)'?", text)
        what = f"operator {operator[1]}" if operator else text.splitlines()[0][:300] if text else type(error).__name__
        raise NotImplementedError(f"torch.onnx cannot export the module: {what}") from error
    finally:
        logger.setLevel(level)
    return buffer.getvalue()


def _check(decoder: Decoder, module: Any, points: Any, names: list[str], n: int, options: Any) -> float:
    """Compares every output of the exported graph with the module's, and gives the largest difference."""
    inputs = points(n)
    expected = module(*inputs)
    rows = [given.reshape(n, -1).numpy() for given in inputs]
    tolerance = 1e-9 if decoder.dtype == np.float64 else 1e-4
    content, called, dtype, *_ = decoder._origin
    largest = 0.0
    for name, value in zip(names, expected, strict=True):
        of_head = Decoder(content, name=called, dtype=dtype, **{**options, "output": name})  # type: ignore[arg-type]
        ours = of_head.decode(rows[0], condition=rows[1] if len(rows) > 1 else None).reshape(n, -1)
        theirs = value.expand(n, *value.shape[1:]).reshape(n, -1).numpy() if value.shape[0] == 1 else value.reshape(n, -1).numpy()
        worst = float(np.abs(ours - theirs).max())
        scale = max(1.0, float(np.abs(theirs).max()))
        if not worst <= tolerance * scale:
            raise ValueError(
                f"the exported graph differs from the module in output {name!r}: by {worst:.3g} at {n} random points, "
                f"where values reach {scale:.3g}. Is something in it random, or decided by the values of z?"
            )
        largest = max(largest, worst / scale)
    return largest
