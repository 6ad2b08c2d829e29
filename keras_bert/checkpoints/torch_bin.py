"""PyTorch's files: zip archives since PyTorch 1.6, before that a row of pickles and raw storages.

Neither PyTorch nor `pickle` is used, and nothing in the file is executed.

Source: PyTorch, `torch/serialization.py`, `torch/csrc/generic/serialization.cpp`,
`caffe2/serialize/inline_container.h`; PKWARE, APPNOTE.TXT section 4.3.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from .errors import CheckpointError, parsing
from .stored import MOST_LETTERS, AnyTensor, Checksum, StoredTensor, map_bytes
from .torch_pickle import Unpickler
from .torch_tensors import Tensor

ZIP_MAGIC = b"PK\x03\x04"
_ZIP_HEADER = struct.Struct("<4s22xHH")
_PICKLE_NAME = re.compile(r"[^/]+/data\.pkl")
_UTF8_FLAG = 0x800

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001


class _Region(NamedTuple):
    """Where a storage's bytes lie."""

    offset: int
    size: int
    checksum: Checksum | None


def read_torch(path: Path) -> dict[str, AnyTensor]:
    """Find every tensor in a file that `torch.save` wrote, without reading it.

    A tensor in an inner dictionary is named 'outer.inner'. What is no tensor is left out.
    """
    with parsing(path):
        with open(path, "rb") as stream:
            is_zip = stream.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        return _read_zip(path) if is_zip else _read_legacy(path)


def _read_zip(path: Path) -> dict[str, AnyTensor]:
    with zipfile.ZipFile(path) as archive, open(path, "rb") as stream:
        pickles = [name for name in archive.namelist() if _PICKLE_NAME.fullmatch(name)]
        if len(pickles) != 1:
            raise CheckpointError(
                "it is a zip archive that torch.save did not write. Unpack a model that came as an "
                "archive first; open a .keras file with keras.models.load_model"
            )
        regions = {}
        for member in archive.infolist():
            if member.filename in regions:
                raise CheckpointError(f"the archive has two members named '{member.filename}'")
            regions[member.filename] = _locate_member(stream, member)
    folder = pickles[0].removesuffix("data.pkl")

    def content(name: str) -> memoryview:
        region = regions[folder + name]
        if region.checksum is not None:
            region.checksum.verify(path)
        return map_bytes(path, region.offset, region.size).data

    byte_order = "little"
    if f"{folder}byteorder" in regions:
        byte_order = str(content("byteorder")[:16], "ascii")
    if byte_order not in ("little", "big"):
        raise CheckpointError(f"its byte order is said to be '{byte_order}'")
    unpickler = Unpickler(content("data.pkl"))
    tensors = _named_tensors(unpickler.run())
    storages = {}
    for key, storage in unpickler.storages.items():
        region = regions.get(f"{folder}data/{key}")
        if region is None or region.size != storage.size:
            raise CheckpointError(f"storage {key} is missing or has the wrong size")
        storages[key] = region
    return _locate_tensors(path, tensors, storages, byte_order)


def _locate_member(stream: BinaryIO, member: zipfile.ZipInfo) -> _Region:
    """Find a member's bytes, after a header that must agree with the directory's entry."""
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        raise CheckpointError(
            f"'{member.filename}' is compressed, which torch.save never does. Unpack the archive "
            "and pack it again without compression (zip -0)"
        )
    stream.seek(member.header_offset)
    magic, name_size, extra_size = _ZIP_HEADER.unpack(stream.read(_ZIP_HEADER.size))
    encoding = "utf-8" if member.flag_bits & _UTF8_FLAG else "cp437"
    if magic != ZIP_MAGIC or stream.read(name_size) != member.orig_filename.encode(encoding):
        raise CheckpointError(f"the archive's directory is wrong about '{member.filename}'")
    offset = stream.tell() + extra_size
    # torch.serialization.set_crc32_options(False) leaves zeros where the checksums belong.
    checksum = Checksum(offset, member.file_size, member.CRC, zlib.crc32) if member.CRC else None
    return _Region(offset, member.file_size, checksum)


def _read_legacy(path: Path) -> dict[str, AnyTensor]:
    length = os.stat(path).st_size
    data = map_bytes(path, 0, length).data
    position = 0

    def unpickle() -> tuple[Any, Unpickler]:
        nonlocal position
        unpickler = Unpickler(data, position)
        value = unpickler.run()
        position = unpickler.position
        return value, unpickler

    if unpickle()[0] != _LEGACY_MAGIC or unpickle()[0] != _LEGACY_PROTOCOL:
        raise CheckpointError("it is a pickle but not one that torch.save wrote")
    unpickle()  # The writing system's byte order and sizes; this format is always little-endian.
    value, unpickler = unpickle()
    _check_coverage(unpickler.tensors)
    storages = unpickler.storages
    keys, _ = unpickle()
    if not isinstance(keys, list) or keys != sorted(storages):
        raise CheckpointError("its storages are not those that its tensors need")
    regions = {}
    for key in keys:
        (count,) = struct.unpack_from("<q", data, position)
        position += 8
        if count != storages[key].count:
            raise CheckpointError(f"storage {key} has {count} elements, not {storages[key].count}")
        regions[key] = _Region(position, storages[key].size, None)
        position += storages[key].size
    if position != length:
        raise CheckpointError(f"it should have {position} bytes but has {length}")
    return _locate_tensors(path, _named_tensors(value), regions, "little")


def _check_coverage(tensors: list[Tensor]) -> None:
    """Raise if a storage has tensors that look at parts of it, but none that is all of it.

    This format has no checksums; a damaged shape or stride would otherwise go unseen.
    """
    filled = {tensor.storage.key for tensor in tensors if tensor.fills_storage}
    if any(tensor.storage.key not in filled for tensor in tensors):
        raise CheckpointError(
            "it is damaged, or holds a part of a larger tensor, which is not supported in files "
            "from before PyTorch 1.6. In PyTorch, save a clone of that tensor"
        )


def _named_tensors(value: Any) -> dict[str, Tensor]:
    """Collect the tensors of nested dictionaries, inner names joined by dots."""
    if not isinstance(value, dict):
        raise CheckpointError("it holds no dictionary of tensors")
    tensors: dict[str, Tensor] = {}
    seen = {id(value)}
    pending = [("", value)]
    letters = 0
    while pending:
        prefix, group = pending.pop()
        for key, item in group.items():
            name = f"{prefix}{key}"
            letters += len(name)
            if letters > MOST_LETTERS:
                raise CheckpointError("its dictionaries are nested too deeply, or names too long")
            if isinstance(item, Tensor) and tensors.setdefault(name, item) is not item:
                raise CheckpointError(f"it holds two tensors named '{name}'")
            if isinstance(item, dict) and id(item) not in seen:
                seen.add(id(item))
                pending.append((f"{name}.", item))
    return tensors


def _locate_tensors(
    path: Path, tensors: dict[str, Tensor], regions: dict[str, _Region], byte_order: str
) -> dict[str, AnyTensor]:
    """Say where in the file the tensors are."""
    located: dict[str, AnyTensor] = {}
    for name, (storage, first, shape, strides) in tensors.items():
        region = regions[storage.key]
        offset = region.offset + first * storage.dtype.itemsize
        located[name] = StoredTensor(
            path, offset, storage.dtype, shape, strides, byte_order, region.checksum
        )
    return located
