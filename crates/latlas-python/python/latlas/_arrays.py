"""Arrays of anybody as arrays of NumPy, without a copy where that is possible."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def as_numpy(values: Any) -> NDArray[Any]:
    """An array of NumPy over the same memory where the owner allows it.

    NumPy arrays pass as they are. Torch tensors that require gradients are detached, those on an accelerator are brought to
    the CPU; whatever else has ``__dlpack__`` or ``__array__`` is viewed; lists become arrays.
    """
    if isinstance(values, np.ndarray):
        return values
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
    if hasattr(values, "__dlpack__") and hasattr(values, "__dlpack_device__"):
        try:
            return np.from_dlpack(values)
        except (BufferError, RuntimeError, TypeError, ValueError):
            pass  # On a device that NumPy does not see, or of a type that DLPack lacks: the owner copies.
    return np.asarray(values)


def rows(values: Any, width: int | None, what: str, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """``values`` as contiguous rows ``[n, width]`` of a number type; one row ``[width]`` stands for ``[1, width]``."""
    array = as_numpy(values)
    if array.ndim == 1 and width is not None and array.shape[0] == width:
        array = array[None, :]
    if array.ndim == 0:
        raise ValueError(f"{what} is a single number, expected one row a sample")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} hold {array.dtype}, expected real numbers")
    flat = array.reshape(array.shape[0], math.prod(array.shape[1:]))
    if width is not None and flat.shape[1] != width:
        raise ValueError(f"{what} of width {width}, got shape {list(array.shape)}")
    return np.ascontiguousarray(flat, dtype=dtype)


def finite(values: NDArray[Any], what: str) -> NDArray[Any]:
    """The same array, if every value in it is finite."""
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        raise ValueError(f"{what} hold {int(bad.sum())} values that are not finite, the first in row {row}")
    return values


def is_integer(values: NDArray[Any]) -> bool:
    """Whether an array holds whole numbers or truth values by its type."""
    return values.dtype.kind in "iub"


__all__ = ["ArrayLike", "as_numpy", "finite", "is_integer", "rows"]
