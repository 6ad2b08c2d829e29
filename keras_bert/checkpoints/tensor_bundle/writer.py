"""Writes a tensor bundle that TensorFlow reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import layout
from .crc32c import masked_crc32c
from .layout import DTYPES, Entry, Header
from .table import write_table
from .wire import field, fixed32_field

_DTYPE_NUMBERS = {dtype: number for number, dtype in DTYPES.items()}


def write_tensor_bundle(
    prefix: str | os.PathLike[str], tensors: Mapping[str, npt.ArrayLike], num_shards: int = 1
) -> None:
    """Write a TensorFlow checkpoint, `PREFIX.index` and its data files.

    The mapping is asked for one tensor at a time. The index comes last and every file gets its name
    when it is complete: a write that breaks off leaves no checkpoint that looks whole.

    Args:
        prefix: The checkpoint's name without `.index`; its folder must exist.
        tensors: Arrays by name. Floats of 16 (float16, bfloat16), 32 or 64 bits, integers, bools.
        num_shards: Number of data files; each tensor goes to the one that is shortest by then.

    Raises:
        ValueError: If the format cannot hold a name or an array, or there is to be no data file.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_tensor_bundle(f"{folder}/model.ckpt", {"bert/pooler/dense/bias": np.ones(3)})
        ...     open_checkpoint(f"{folder}/model.ckpt")["bert/pooler/dense/bias"]
        array([1., 1., 1.])
    """
    prefix = Path(prefix)
    if num_shards < 1:
        raise ValueError(f"`num_shards` must be at least 1. Received: num_shards={num_shards}")
    for name in tensors:
        if not isinstance(name, str) or not name or "\0" in name:
            raise ValueError(
                f"A tensor's name must be a string with characters. Received: {name!r}"
            )
    # UTF-8 sorts like the code points that Python compares.
    names = sorted(tensors)
    header = (
        field(Header.NUM_SHARDS, num_shards)
        + field(Header.ENDIANNESS, layout.BYTE_ORDERS.index(sys.byteorder))
        + field(Header.VERSION, field(Header.PRODUCER, layout.FORMAT_VERSION))
    )
    files = [layout.data_file(prefix, shard, num_shards) for shard in range(num_shards)]
    files.append(layout.index_file(prefix))
    with ExitStack() as cleanup:
        for file in files:
            cleanup.callback(_unfinished(file).unlink, missing_ok=True)
        entries = _write_data(files[:-1], names, tensors)
        table = write_table([(layout.HEADER_KEY, header), *entries])
        _unfinished(files[-1]).write_bytes(table)
        for file in files:
            os.replace(_unfinished(file), file)


def _write_data(
    files: list[Path], names: list[str], tensors: Mapping[str, npt.ArrayLike]
) -> list[tuple[bytes, bytes]]:
    """Write the tensors and return their entries in the index."""
    entries = []
    with ExitStack() as stack:
        streams = [stack.enter_context(open(_unfinished(file), "wb")) for file in files]
        for name in names:
            shard, stream = min(enumerate(streams), key=lambda item: item[1].tell())
            array = _writable(name, tensors[name])
            content = array.reshape(-1).view(np.uint8)
            entry = _entry(array, shard, stream.tell(), masked_crc32c(content))
            entries.append((name.encode(), entry))
            stream.write(content.data)
    return entries


def _unfinished(file: Path) -> Path:
    return file.with_name(f"{file.name}.unfinished")


def _writable(name: str, value: npt.ArrayLike) -> np.ndarray:
    """Return the value as an array whose bytes can be written as they are."""
    array = np.asarray(value, order="C")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype not in _DTYPE_NUMBERS:
        raise ValueError(
            f"A TensorFlow checkpoint cannot hold arrays of type {array.dtype}. Received: '{name}'"
        )
    return array


def _entry(array: np.ndarray, shard: int, offset: int, checksum: int) -> bytes:
    """Encode a BundleEntryProto."""
    shape = b"".join(
        field(Entry.DIMENSION, field(Entry.DIMENSION_SIZE, size)) for size in array.shape
    )
    return (
        field(Entry.DTYPE, _DTYPE_NUMBERS[array.dtype])
        + field(Entry.SHAPE, shape)
        + field(Entry.SHARD, shard)
        + field(Entry.OFFSET, offset)
        + field(Entry.SIZE, array.nbytes)
        + fixed32_field(Entry.CRC32C, checksum)
    )
