"""Where a tensor lies in a file, and how its bytes become an array. Every format ends here."""

from __future__ import annotations

import math
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import ml_dtypes
import numpy as np

from ..arguments import check_on_disk
from .errors import CheckpointError

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

# NumPy 1 allows no more dimensions; BERT's tensors have at most two.
MAXIMUM_RANK = 32

# In all names of a file together, several times as many as in any known one: parts that names share
# stand in a file once, so that a small one could ask for any amount of memory.
MOST_LETTERS = 1 << 24

_COMPARED_AT_ONCE = 1 << 22


def map_bytes(file: Path, offset: int, size: int, alignment: int = 1) -> np.ndarray:
    """Map a region of a file as an array of type `uint8`.

    Writing into the array changes neither the file nor what others see. The mapping ends with the
    last array that refers to it, so that tensors read one by one never add up. A region that does
    not begin at a multiple of `alignment` is copied, as not every library accepts such an array.
    """
    check_on_disk(file)
    with open(file, "rb") as handle:
        # Touching a page past the end of the file would kill the process.
        length = os.fstat(handle.fileno()).st_size
        if offset < 0 or size < 0 or offset + size > length:
            raise CheckpointError(
                f"{file} is cut or damaged: bytes {offset} to {offset + size} are needed, "
                f"but it has {length}"
            )
        if size == 0 or offset % alignment:
            return np.fromfile(handle, np.uint8, size, offset=offset)
        excess = offset % mmap.ALLOCATIONGRANULARITY
        mapping = mmap.mmap(
            handle.fileno(), excess + size, access=mmap.ACCESS_COPY, offset=offset - excess
        )
    return np.frombuffer(mapping, np.uint8, count=size, offset=excess)


@dataclass
class Checksum:
    """A checksum over a region of a file, verified no more than once."""

    offset: int
    size: int
    expected: int
    compute: Callable[[Any], int]
    verified: bool = field(default=False, compare=False)

    def verify(self, file: Path) -> None:
        """Raise `CheckpointError` unless the region is what the checksum was made from."""
        if self.verified:
            return
        found = self.compute(map_bytes(file, self.offset, self.size))
        if found != self.expected:
            raise CheckpointError(
                f"its bytes in {file} are damaged: their checksum is {found:#010x}, "
                f"it should be {self.expected:#010x}. Get the file again"
            )
        self.verified = True


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a region of a file."""

    file: Path
    offset: int
    dtype: np.dtype  # in this machine's byte order
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None  # in elements; None in C order and if it is empty
    byte_order: str = "little"  # of the file
    checksum: Checksum | None = None

    @property
    def size(self) -> int:
        """Bytes from the first element to the end of the last."""
        elements = math.prod(self.shape)
        if self.strides is not None:
            axes = zip(self.shape, self.strides, strict=True)
            elements = 1 + sum((count - 1) * stride for count, stride in axes)
        return elements * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """Map the tensor, after its checksum has been verified."""
        if self.checksum is not None:
            self.checksum.verify(self.file)
        raw = map_bytes(self.file, self.offset, self.size, self.dtype.alignment)
        if self.byte_order != sys.byteorder:
            raw = raw.view(f"u{self.dtype.itemsize}").byteswap().view(np.uint8)
        elements = raw.view(self.dtype)
        if self.strides is None:
            return elements.reshape(self.shape)
        steps = [stride * self.dtype.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(elements, self.shape, steps)


@dataclass(frozen=True)
class PartitionedTensor:
    """A tensor stored as several pieces, which follow each other along one axis."""

    dtype: np.dtype
    shape: tuple[int, ...]
    axis: int
    parts: tuple[StoredTensor, ...]

    def read(self) -> np.ndarray:
        """Put the pieces together in a new array."""
        return np.concatenate([part.read() for part in self.parts], axis=self.axis)


@dataclass(frozen=True)
class UnreadableTensor:
    """A tensor whose presence is known but whose elements are of no use here, such as strings."""

    shape: tuple[int, ...]
    reason: str
    dtype: None = None

    def read(self) -> np.ndarray:
        """Refuse."""
        raise CheckpointError(self.reason)


@dataclass(frozen=True, eq=False)
class ChangedTensor:
    """A tensor that is read otherwise than the file has it: `change` keeps its type."""

    source: StoredTensor | PartitionedTensor | ChangedTensor
    shape: tuple[int, ...]
    change: Callable[[np.ndarray], np.ndarray]

    @property
    def dtype(self) -> np.dtype:
        """Type of its elements."""
        return self.source.dtype

    def read(self) -> np.ndarray:
        """Read the tensor in the file and change it."""
        return self.change(self.source.read())


AnyTensor = StoredTensor | PartitionedTensor | UnreadableTensor | ChangedTensor


def have_equal_content(first: AnyTensor, second: AnyTensor) -> bool:
    """Tell whether two tensors have the same type, shape and bits."""
    if first == second:
        return True  # the same bytes of the same file
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    if not (_is_plain(first) and _is_plain(second)):
        return first.read().tobytes() == second.read().tobytes()
    for start in range(0, first.size, _COMPARED_AT_ONCE):
        size = min(_COMPARED_AT_ONCE, first.size - start)
        one, other = (map_bytes(item.file, item.offset + start, size) for item in (first, second))
        if not np.array_equal(one, other):
            return False
    return True


def _is_plain(tensor: AnyTensor) -> TypeGuard[StoredTensor]:
    """Whether the file has the tensor's bytes as an array in C order has them in memory."""
    return (
        isinstance(tensor, StoredTensor)
        and tensor.strides is None
        and tensor.byte_order == sys.byteorder
    )


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise `CheckpointError` for a shape that no tensor in a file can have.

    The number of elements is compared with the bytes present by each format; an empty tensor has
    none, so that its other dimensions must be bounded on their own.
    """
    sizes_fit = len(shape) <= MAXIMUM_RANK and all(0 <= size < 2**31 for size in shape)
    if not sizes_fit or math.prod(size or 1 for size in shape) >= 2**48:
        raise CheckpointError(f"the shape {shape[:MAXIMUM_RANK]} cannot be right")
