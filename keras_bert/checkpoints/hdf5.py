"""HDF5 files of weights, as Keras writes them: every tensor in one piece, without checksums.

The library h5py reads the directory of the file; the tensors' bytes are mapped as those of every
format. Nothing outside the file is followed, and nothing in it is unpacked: a tensor in chunks may
be compressed, so that a small file could ask for any amount of memory.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from .errors import CheckpointError, parsing
from .stored import MOST_LETTERS, AnyTensor, StoredTensor, UnreadableTensor, check_shape

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_OBJECTS = 100_000
_MAXIMUM_DEPTH = 32
_SUPERBLOCK_SIZE = 16  # as much of it as is looked at
_HEAP_MAGIC = b"HEAP"
_HEAP = struct.Struct("<8xQQQ")
_FREE_BLOCK = struct.Struct("<QQ")
_NO_BLOCK = 1
_SEARCHED_AT_ONCE = 1 << 20


def read_hdf5(path: Path) -> dict[str, AnyTensor]:
    """Find every tensor in a file, by its path from group to group, without reading it."""
    import h5py

    with parsing(path):
        _check_heaps(path)
        try:
            # Locks are for writers, and not every network drive has them.
            with h5py.File(path, "r", locking=False) as file:
                addresses: set[int] = set()
                found = _datasets(file, addresses)
                tensors = {name: _describe(path, each) for name, each in found}
        except (OSError, TypeError, AttributeError, MemoryError) as error:
            raise CheckpointError(f"it is damaged, or no HDF5 file ({error})") from error
        _check_regions(path, tensors, addresses)
        return tensors


def _check_heaps(path: Path) -> None:
    """Raise if the free blocks of a heap, where names are kept, make a ring.

    The library would follow it without end, in ever more memory. A heap begins with "HEAP", its
    size, its first free block and its address; a free block with where the next one is and its own
    size. The library looks for heaps wherever a group says, so that every "HEAP" is looked at.

    Source: HDF5 File Format Specification, sections II and III.D.
    """
    length = os.stat(path).st_size
    count = 0
    with open(path, "rb") as stream:
        start = stream.read(_SUPERBLOCK_SIZE).ljust(_SUPERBLOCK_SIZE, b"\0")
        sizes = start[13:15] if start[8] < 2 else start[9:11]
        if tuple(sizes) != (8, 8):
            raise CheckpointError(
                "it is damaged, or no HDF5 file (addresses and sizes of other than 8 bytes)"
            )
        for position in _positions(stream, _HEAP_MAGIC):
            stream.seek(position)
            header = stream.read(_HEAP.size)
            if len(header) < _HEAP.size:
                return
            size, free, address = _HEAP.unpack(header)
            passed: set[int] = set()
            while free != _NO_BLOCK and free < size and address + free < length:
                count += 1
                if free in passed or count > _MOST_OBJECTS:
                    raise CheckpointError("it is damaged: the free blocks of a heap make a ring")
                passed.add(free)
                stream.seek(address + free)
                block = stream.read(_FREE_BLOCK.size)
                if len(block) < _FREE_BLOCK.size:
                    break
                free, _ = _FREE_BLOCK.unpack(block)


def _positions(stream: BinaryIO, word: bytes) -> Iterator[int]:
    """Find a word wherever it stands in a file, without mapping the file's pages."""
    start = 0
    while True:
        stream.seek(start)
        piece = stream.read(_SEARCHED_AT_ONCE)
        if len(piece) < len(word):
            return
        found = piece.find(word)
        while found >= 0:
            yield start + found
            found = piece.find(word, found + 1)
        start += len(piece) - len(word) + 1


def _datasets(file: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Walk through all groups and yield path and dataset; adds the addresses of their headers."""
    import h5py

    seen.add(h5py.h5o.get_info(file.id).addr)
    pending = [("", file, 0)]
    letters = 0
    while pending:
        prefix, group, depth = pending.pop()
        for key in group:
            name = f"{prefix}{key}"
            letters += len(name)
            if letters > MOST_LETTERS:
                raise CheckpointError("the names of its groups are too long")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise CheckpointError(f"'{name}' is a link, which is not followed")
            item = group[key]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen or len(seen) > _MOST_OBJECTS or depth > _MAXIMUM_DEPTH:
                raise CheckpointError(f"its groups make no tree: see '{name}'")
            seen.add(address)
            if isinstance(item, h5py.Group):
                pending.append((f"{name}/", item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                yield name, item


def _describe(path: Path, dataset: Any) -> AnyTensor:
    """Say where in the file a dataset's bytes lie."""
    import h5py

    shape, kind = dataset.shape, dataset.id.get_type()
    if shape is None or kind.get_class() not in (h5py.h5t.FLOAT, h5py.h5t.INTEGER):
        return UnreadableTensor(shape or (), "it holds no numbers")
    check_shape(shape)
    dtype = dataset.dtype
    # A type with, say, unused bits has a NumPy type too, but not its bytes.
    if h5py.h5t.py_create(dtype) != kind:
        return UnreadableTensor(shape, f"its numbers are stored otherwise than {dtype.name}")
    layout = dataset.id.get_create_plist()
    if layout.get_layout() != h5py.h5d.CONTIGUOUS or layout.get_external_count():
        raise CheckpointError(
            f"'{dataset.name[1:]}' is stored in chunks, or in other files, and not in one piece. "
            "Save the model again with save_pretrained of transformers 4"
        )
    size = math.prod(shape) * dtype.itemsize
    offset = dataset.id.get_offset() if size else 0
    if offset is None or (size and dataset.id.get_storage_size() != size):
        raise CheckpointError(f"'{dataset.name[1:]}' has no bytes, or not as many as its shape")
    byte_order = "big" if dtype.byteorder == ">" else "little"
    return StoredTensor(path, offset, dtype.newbyteorder("="), shape, None, byte_order)


def _check_regions(path: Path, tensors: dict[str, AnyTensor], headers: set[int]) -> None:
    """Raise unless every tensor has bytes of its own within the file.

    There is no checksum that would tell of damage in an address, or in a byte order.
    """
    length = os.stat(path).st_size
    stored = [each for each in tensors.values() if isinstance(each, StoredTensor) and each.size]
    regions = sorted((each.offset, each.offset + each.size) for each in stored)
    if len({each.byte_order for each in stored}) > 1:
        raise CheckpointError("it is damaged: its tensors have different byte orders")
    occupied = sorted([*regions, *((address, address + 1) for address in headers)])
    if any(end > start for (_, end), (start, _) in pairwise(occupied)):
        raise CheckpointError("it is damaged: a tensor shares its bytes with something else")
    if regions and regions[-1][1] > length:
        raise CheckpointError(f"it is cut: it should have {regions[-1][1]} bytes but has {length}")
