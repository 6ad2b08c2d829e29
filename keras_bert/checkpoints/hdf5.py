"""HDF5 files of weights, as Keras writes them: every tensor in one piece, without checksums.

The library h5py reads the directory of the file; the tensors' bytes are mapped as those of every
format. Nothing outside the file is followed, and nothing in it is unpacked: a tensor in chunks may
be compressed, so that a small file could ask for any amount of memory.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from .errors import CheckpointError, parsing
from .hdf5_rings import check_rings
from .stored import MOST_LETTERS, AnyTensor, StoredTensor, UnreadableTensor, check_shape

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_MOST_OBJECTS = 100_000
_MAXIMUM_DEPTH = 32


def read_hdf5(path: Path) -> dict[str, AnyTensor]:
    """Find every tensor in a file, by its path from group to group, without reading it."""
    import h5py

    with parsing(path):
        check_rings(path)
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
