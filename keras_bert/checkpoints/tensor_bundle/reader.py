"""Reads the index of a tensor bundle and finds where in the data files every tensor lies."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from .. import stored
from ..errors import CheckpointError, parsing
from ..paths import OBJECT_GRAPH_KEY
from ..stored import AnyTensor, Checksum, PartitionedTensor, StoredTensor, UnreadableTensor
from . import layout
from .crc32c import masked_crc32c
from .layout import DTYPES, Entry, Header
from .object_graph import read_full_names
from .slices import Slice, read_slice, splitting_axis
from .table import read_table
from .wire import Fields, integer, messages, read_message, read_varint

_STRING = 7
_UNREADABLE_DTYPES = {_STRING: "strings", 8: "complex64", 18: "complex128", 21: "variants"}
_LENGTH_CHECKSUM_SIZE = 4


def read_tensor_bundle(prefix: Path) -> tuple[dict[str, AnyTensor], dict[str, str]]:
    """Verify the index of the checkpoint named `prefix` and find every tensor, without reading it.

    Returns:
        The tensors by their keys, and for an object-based checkpoint of TensorFlow 2 the full names
        of variables by these keys.
    """
    path = layout.index_file(prefix)
    with parsing(path):
        entries = dict(read_table(path.read_bytes()))
        header = entries.pop(layout.HEADER_KEY, None)
        if header is None:
            raise CheckpointError("its header is missing")
        index = _Index(prefix, entries, read_message(header))
        full_names = {}
        if OBJECT_GRAPH_KEY in entries:
            full_names = read_full_names(index.string(OBJECT_GRAPH_KEY))
            del entries[OBJECT_GRAPH_KEY]
        return index.tensors(), full_names


class _Index:
    """The entries of an index, of which the empty-keyed header has been taken out."""

    def __init__(self, prefix: Path, entries: dict[bytes, bytes], header: Fields):
        self.prefix = prefix
        self.entries = entries
        self.num_shards = integer(header, Header.NUM_SHARDS)
        self.byte_order = layout.BYTE_ORDERS[integer(header, Header.ENDIANNESS)]
        self.shard_lengths: dict[int, int] = {}
        for version in messages(header, Header.VERSION):
            if integer(version, Header.MIN_CONSUMER) > layout.FORMAT_VERSION:
                raise CheckpointError("it was written in a newer version of the format")

    def tensors(self) -> dict[str, AnyTensor]:
        """Describe the tensors that have a name; pieces of partitioned ones have none."""
        return {
            key.decode("utf-8"): self.tensor(key, read_message(value))
            for key, value in self.entries.items()
            if not key.startswith(b"\0")
        }

    def tensor(self, key: bytes, entry: Fields) -> AnyTensor:
        """Describe one tensor."""
        number, shape = integer(entry, Entry.DTYPE), _shape(entry)
        if number not in DTYPES:
            kind = _UNREADABLE_DTYPES.get(number, f"TensorFlow's type number {number}")
            return UnreadableTensor(shape, f"it holds {kind}, which cannot be read here")
        if slices := messages(entry, Entry.SLICES):
            return self.partitioned(key, DTYPES[number], shape, slices)
        return self.stored(key, DTYPES[number], shape, entry)

    def stored(
        self, key: bytes, dtype: np.dtype, shape: tuple[int, ...], entry: Fields
    ) -> StoredTensor:
        """Describe a tensor, or a piece of one, that has bytes of its own."""
        offset, size = integer(entry, Entry.OFFSET), integer(entry, Entry.SIZE)
        if size != math.prod(shape) * dtype.itemsize:
            raise CheckpointError(
                f"tensor {key!r} of type {dtype} and shape {shape} cannot have {size} bytes"
            )
        file = self.shard(integer(entry, Entry.SHARD), key, offset, size)
        checksum = Checksum(offset, size, integer(entry, Entry.CRC32C), masked_crc32c)
        return StoredTensor(file, offset, dtype, shape, None, self.byte_order, checksum)

    def string(self, key: bytes) -> bytes:
        """Read a scalar string and verify it.

        Before the string stand its length as a varint and a checksum of the length. The entry's
        checksum is over both and the string, with the length in 32 bits.
        """
        entry = read_message(self.entries[key])
        offset, size = integer(entry, Entry.OFFSET), integer(entry, Entry.SIZE)
        if integer(entry, Entry.DTYPE) != _STRING or _shape(entry) != ():
            raise CheckpointError(f"{key!r} is no string")
        file = self.shard(integer(entry, Entry.SHARD), key, offset, size)
        data = stored.map_bytes(file, offset, size).tobytes()
        length, position = read_varint(data, 0)
        content = data[position + _LENGTH_CHECKSUM_SIZE :]
        if len(content) != length or length >= 1 << 32:
            raise CheckpointError(f"the string {key!r} has a wrong length")
        summed = length.to_bytes(4, self.byte_order) + data[position:]
        if masked_crc32c(summed) != integer(entry, Entry.CRC32C):
            raise CheckpointError(f"the string {key!r} is damaged: wrong CRC32C")
        return content

    def shard(self, number: int, key: bytes, offset: int, size: int) -> Path:
        """Return the data file of a tensor, having made sure that the tensor lies within."""
        if not 0 <= number < self.num_shards:
            raise CheckpointError(
                f"tensor {key!r} is in data file {number} of {self.num_shards}, which cannot be"
            )
        file = layout.data_file(self.prefix, number, self.num_shards)
        if number not in self.shard_lengths:
            self.shard_lengths[number] = os.stat(file).st_size
        if offset < 0 or offset + size > self.shard_lengths[number]:
            raise CheckpointError(
                f"{file.name} is cut: tensor {key!r} ends at byte {offset + size}, "
                f"the file at {self.shard_lengths[number]}"
            )
        return file

    def partitioned(
        self, key: bytes, dtype: np.dtype, shape: tuple[int, ...], pieces: list[Fields]
    ) -> PartitionedTensor:
        """Describe a variable that a partitioner has split along one axis."""
        slices: dict[bytes, Slice] = {}
        for message in pieces:
            piece = read_slice(message, key, shape)
            # Before the next one is read: each holds the whole name.
            if piece.key not in self.entries or piece.key in slices:
                raise CheckpointError(f"the pieces of tensor {key!r} do not follow each other")
            slices[piece.key] = piece
        axis = splitting_axis(list(slices.values()), key, shape)
        parts = []
        end = 0
        for piece in sorted(slices.values(), key=lambda piece: piece.starts):
            if piece.starts[axis] != end:
                raise CheckpointError(f"the pieces of tensor {key!r} do not follow each other")
            entry = read_message(self.entries[piece.key])
            if DTYPES.get(integer(entry, Entry.DTYPE)) != dtype or _shape(entry) != piece.shape:
                raise CheckpointError(f"the pieces of tensor {key!r} do not fit together")
            parts.append(self.stored(piece.key, dtype, piece.shape, entry))
            end += piece.shape[axis]
        whole = sum(part.size for part in parts)
        if end != shape[axis] or whole > sum(self.shard_lengths.values()):
            raise CheckpointError(f"the pieces of tensor {key!r} do not add up")
        return PartitionedTensor(dtype, shape, axis, tuple(parts))


def _shape(entry: Fields) -> tuple[int, ...]:
    shape = tuple(
        integer(dimension, Entry.DIMENSION_SIZE)
        for message in messages(entry, Entry.SHAPE)
        for dimension in messages(message, Entry.DIMENSION)
    )
    stored.check_shape(shape)
    return shape
