"""Arrays of any framework as NumPy arrays on the host.

A framework is looked up by the type of the object and its module imported only if the framework already
is.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tb_llmdebug.records import InvalidRecordError


class HostArray(NamedTuple):
    """An array on the host, and whether its memory may change under us."""

    array: npt.NDArray[Any]
    mutable: bool


def to_host(value: Any, what: str) -> HostArray:
    """Return `value` as a NumPy array, without a copy where that can be had.

    Args:
        value: an array or tensor of NumPy, TensorFlow, PyTorch or JAX, or nested lists of numbers.
        what: what it is, for the error.

    Raises:
        InvalidRecordError: it is no array.

    Example:
        >>> to_host([[0.5, 0.5]], "attention").array.shape
        (1, 2)
    """
    if isinstance(value, np.ndarray):
        return HostArray(value, mutable=True)
    root = type(value).__module__.partition(".")[0]
    if root == "torch" and "torch" in sys.modules:
        return _from_torch(value)
    if root == "tensorflow" and "tensorflow" in sys.modules:
        return _from_tensorflow(value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        array = np.empty((), object)
    if array.dtype == object or array.dtype.kind in "USOM":
        raise InvalidRecordError(f"{what} is a {type(value).__name__}: pass an array of numbers.")
    # JAX arrays never change, lists were copied by NumPy; anything else may show us its own memory.
    return HostArray(array, mutable=root not in ("jax", "jaxlib") and not isinstance(value, (list, tuple)))


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """Return the shape of an array or tensor, None for what is not known; None if it has no rank."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return None
    if hasattr(shape, "rank"):  # a tf.TensorShape
        return None if shape.rank is None else tuple(shape.as_list())
    return tuple(shape)


def _from_tensorflow(value: Any) -> HostArray:
    """TensorFlow's eager tensors never change: a view is enough, and holding it keeps the buffer."""
    try:
        return HostArray(np.asarray(memoryview(value)), mutable=False)
    except (TypeError, BufferError, ValueError):
        # bfloat16 has no buffer format, variables and tensors on a device none at all.
        return HostArray(np.asarray(value.numpy()), mutable=False)


def _from_torch(value: Any) -> HostArray:
    import torch

    if value.dtype is torch.bfloat16:  # NumPy has none
        return HostArray(value.detach().cpu().float().numpy(), mutable=False)
    return HostArray(value.numpy(force=True), mutable=value.is_cpu)
