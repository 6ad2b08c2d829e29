"""Tensors and storages as PyTorch files describe them, before it is known where their bytes lie.

Source: PyTorch, `torch/_utils.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .errors import CheckpointError
from .stored import BFLOAT16, check_shape

STORAGE_DTYPES = {
    "DoubleStorage": np.dtype(np.float64),
    "FloatStorage": np.dtype(np.float32),
    "HalfStorage": np.dtype(np.float16),
    "BFloat16Storage": BFLOAT16,
    "LongStorage": np.dtype(np.int64),
    "IntStorage": np.dtype(np.int32),
    "ShortStorage": np.dtype(np.int16),
    "CharStorage": np.dtype(np.int8),
    "ByteStorage": np.dtype(np.uint8),
    "BoolStorage": np.dtype(np.bool_),
}


class StorageType(NamedTuple):
    """What `torch.FloatStorage` and its kin stand for."""

    dtype: np.dtype


@dataclass(frozen=True)
class Storage:
    """A run of `count` elements in the file, at which one or more tensors look."""

    key: str
    dtype: np.dtype
    count: int

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.count * self.dtype.itemsize


class Tensor(NamedTuple):
    """A view of a storage. Offset and strides count elements; no strides: in C order, dense."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None

    @property
    def fills_storage(self) -> bool:
        """Whether each element of the storage occurs in it exactly once."""
        strides = self.strides or _dense_strides(self.shape)
        count = 1
        for stride, size in sorted(zip(strides, self.shape, strict=True)):
            if size != 1:
                if stride != count:
                    return False
                count *= size
        return count == self.storage.count


def rebuild_tensor(
    storage, offset, shape, strides, requires_grad=None, backward_hooks=None, metadata=None
) -> Tensor:
    """Stand in for `torch._utils._rebuild_tensor_v2`, checking that the view stays inside."""
    if not isinstance(storage, Storage) or type(offset) is not int:
        raise CheckpointError("its pickle is damaged: a tensor has no storage or no offset")
    if metadata:
        raise CheckpointError("it holds a lazily negated or conjugated tensor: not supported")
    shape, strides = _numbers(shape), _numbers(strides)
    check_shape(shape)
    count = math.prod(shape)
    if len(shape) != len(strides) or min(offset, storage.count, *strides, 0) < 0:
        raise CheckpointError("its pickle is damaged: a tensor's strides cannot be right")
    last = sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count > storage.count or (count and offset + last >= storage.count):
        raise CheckpointError(
            f"a tensor of shape {shape} reaches beyond its storage of {storage.count} elements"
        )
    return Tensor(storage, offset if count else 0, shape, _needed_strides(shape, strides))


def rebuild_parameter(data, requires_grad=None, backward_hooks=None) -> Tensor:
    """Stand in for `torch._utils._rebuild_parameter`."""
    if not isinstance(data, Tensor):
        raise CheckpointError("its pickle is damaged: a parameter without a tensor")
    return data


def _numbers(value: Any) -> tuple[int, ...]:
    if type(value) is not tuple or not all(type(item) is int for item in value):
        raise CheckpointError("its pickle is damaged: a shape or strides are no tuple of integers")
    return value


def _dense_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _needed_strides(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return None for a dense tensor in C order; the stride of an axis of size 1 is free."""
    axes = list(zip(shape, strides, _dense_strides(shape), strict=True))
    if 0 in shape or all(size == 1 or stride == dense for size, stride, dense in axes):
        return None
    return tuple(0 if size == 1 else stride for size, stride, _ in axes)
