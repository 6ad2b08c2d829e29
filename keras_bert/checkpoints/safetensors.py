"""The safetensors format: a JSON header, then the tensors, without padding or checksums.

The safetensors library judges the header: its length, the JSON, and that the tensors fill the rest
of the file exactly. The bytes are mapped here: the library would copy them, in twice the memory.

Source: huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from .errors import CheckpointError, parsing
from .stored import BFLOAT16, AnyTensor, StoredTensor, UnreadableTensor, check_shape

_DTYPES = {
    "F64": np.dtype(np.float64),
    "F32": np.dtype(np.float32),
    "F16": np.dtype(np.float16),
    "BF16": BFLOAT16,
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16),
    "I8": np.dtype(np.int8),
    "U64": np.dtype(np.uint64),
    "U32": np.dtype(np.uint32),
    "U16": np.dtype(np.uint16),
    "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_),
}
_LENGTH_SIZE = 8


def read_safetensors(path: Path) -> dict[str, AnyTensor]:
    """Verify a file's header and find every tensor, without reading it."""
    with parsing(path):
        try:
            with safe_open(path, framework="np") as file:
                names = list(file.keys())
        except SafetensorError as error:
            raise CheckpointError(f"it is damaged, or no safetensors file ({error})") from error
        with open(path, "rb") as stream:
            header_size = int.from_bytes(stream.read(_LENGTH_SIZE), "little")
            header = json.loads(stream.read(header_size))
        start = _LENGTH_SIZE + header_size
        return {name: _describe(path, start, header[name]) for name in names}


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write a file that transformers reads, the arrays with the types that they have."""
    for name, array in tensors.items():
        if array.dtype not in _DTYPES.values():
            raise ValueError(
                f"A safetensors file cannot hold arrays of type {array.dtype}. Received: {name!r}"
            )
    path.touch()
    mode = path.stat().st_mode  # by the user's umask; the library lets the owner alone read
    try:
        save_file(dict(tensors), path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(errno.EIO, f"{path.name} could not be written ({error})") from error
    path.chmod(mode)


def _describe(path: Path, start: int, entry: dict) -> AnyTensor:
    """Describe one tensor from its entry in the header, which the library has verified."""
    shape = tuple(entry["shape"])
    check_shape(shape)
    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        return UnreadableTensor(shape, f"its type {entry['dtype']} cannot be read here")
    return StoredTensor(path, start + entry["data_offsets"][0], dtype, shape)
