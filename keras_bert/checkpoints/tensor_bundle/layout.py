"""What the reader and the writer of a tensor bundle must agree on.

Source: TensorFlow, `core/protobuf/tensor_bundle.proto`, `core/framework/types.proto`,
`core/framework/tensor_shape.proto`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..stored import BFLOAT16

FORMAT_VERSION = 1
BYTE_ORDERS = ("little", "big")
HEADER_KEY = b""  # before every other

DTYPES = {
    1: np.dtype(np.float32),
    2: np.dtype(np.float64),
    3: np.dtype(np.int32),
    4: np.dtype(np.uint8),
    5: np.dtype(np.int16),
    6: np.dtype(np.int8),
    9: np.dtype(np.int64),
    10: np.dtype(np.bool_),
    14: BFLOAT16,
    17: np.dtype(np.uint16),
    19: np.dtype(np.float16),
    22: np.dtype(np.uint32),
    23: np.dtype(np.uint64),
}


class Header:
    """Field numbers of BundleHeaderProto, and of VersionDef within it."""

    NUM_SHARDS, ENDIANNESS, VERSION = 1, 2, 3
    PRODUCER, MIN_CONSUMER = 1, 2


class Entry:
    """Field numbers of BundleEntryProto, and of TensorShapeProto within it."""

    DTYPE, SHAPE, SHARD, OFFSET, SIZE, CRC32C, SLICES = 1, 2, 3, 4, 5, 6, 7
    DIMENSION, DIMENSION_SIZE = 2, 1


def index_file(prefix: Path) -> Path:
    """Return the path of a checkpoint's index."""
    return prefix.with_name(f"{prefix.name}.index")


def data_file(prefix: Path, shard: int, num_shards: int) -> Path:
    """Return the path of one of a checkpoint's data files."""
    return prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{num_shards:05d}")
