"""Pieces of partitioned variables.

The entry under the name of a variable that TensorFlow split along one axis has no bytes but lists
slices. Each piece has an entry whose key is a zero byte, the name and the slice.

Source: TensorFlow, `core/framework/tensor_slice.proto`,
`core/util/saved_tensor_slice_util.cc`, `core/lib/strings/ordered_code.cc`.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import CheckpointError
from .wire import Fields, integer, messages

_EXTENT, _START, _LENGTH = 1, 1, 2
_FULL = -1


class Slice(NamedTuple):
    """A piece of a tensor: the key of its entry, and per axis its first index and its size."""

    key: bytes
    starts: tuple[int, ...]
    shape: tuple[int, ...]


def read_slice(message: Fields, name: bytes, shape: tuple[int, ...]) -> Slice:
    """Decode a TensorSliceProto of the tensor with this name and shape."""
    extents = messages(message, _EXTENT)
    if len(extents) != len(shape):
        raise CheckpointError(f"a slice of tensor {name!r} has the wrong number of axes")
    key = _ordered(0) + _ordered_string(name) + _ordered(len(extents))
    starts, sizes = [], []
    for extent, size in zip(extents, shape, strict=True):
        start, length = integer(extent, _START), integer(extent, _LENGTH, _FULL)
        key += _ordered_signed(start) + _ordered_signed(length)
        starts.append(start)
        sizes.append(size if length == _FULL else length)
    return Slice(key, tuple(starts), tuple(sizes))


def splitting_axis(slices: list[Slice], name: bytes, shape: tuple[int, ...]) -> int:
    """Return the axis along which the slices cut the tensor."""
    sizes = enumerate(shape)
    axes = [axis for axis, size in sizes if any(piece.shape[axis] != size for piece in slices)]
    if len(axes) > 1 or not shape:
        raise CheckpointError(
            f"tensor {name!r} is partitioned along {len(axes)} axes, one at most is supported"
        )
    return axes[0] if axes else 0


def _ordered(value: int) -> bytes:
    """Encode a non-negative number so that longer numbers sort after shorter ones."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _ordered_string(value: bytes) -> bytes:
    """Encode a string; the bytes 0 and 255, which need escapes, are not in names (UTF-8)."""
    return value + b"\0\1"


def _ordered_signed(value: int) -> bytes:
    """Encode a number: n bytes begin with n ones (n zeros, all inverted, if it is negative)."""
    magnitude = value if value >= 0 else ~value
    size = magnitude.bit_length() // 7 + 1
    code = ((1 << size) - 1 << 7 * size) | magnitude
    if value < 0:
        code ^= (1 << 8 * size) - 1
    return code.to_bytes(size, "big")
