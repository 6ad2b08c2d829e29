"""The sorted string table of LevelDB, in which TensorFlow keeps a checkpoint's index.

A table is a row of blocks and a footer, which says where the index block lies. A data block holds
(key, value) entries in the order of their keys, each key without the prefix that it shares with the
one before. The index block has one entry per data block: a key not below the block's last, and
where the block lies. After each block come a byte that tells how it is compressed and a masked
CRC32C of both.

Source: LevelDB, `doc/table_format.md`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from ..errors import CheckpointError
from ..stored import MOST_LETTERS
from .crc32c import masked_crc32c
from .wire import read_varint, varint

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER_SIZE = 48
_TRAILER = struct.Struct("<BI")
_NOT_COMPRESSED, _SNAPPY = 0, 1
# Keys are tensor names. Unbounded, shared prefixes could make gigabytes out of a small file.
_MAXIMUM_KEY_SIZE = 4096
_MOST_ENTRIES = 100_000
_RESTART_INTERVAL = 16

Entry = tuple[bytes, bytes]


def read_table(data: bytes) -> list[Entry]:
    """Decode a file into its entries, in the order of their keys, verifying every block."""
    footer = data[-_FOOTER_SIZE:]
    if len(footer) < _FOOTER_SIZE or not footer.endswith(_MAGIC):
        raise CheckpointError("this is no TensorFlow checkpoint index, or its end is missing")
    *_, end_of_first_handle = _read_handle(footer, 0)  # That of the unused meta-index block.
    entries: list[Entry] = []
    previous = None
    end = letters = 0
    for bound, handle in _block_entries(_block(data, footer, end_of_first_handle)):
        start, size, _ = _read_handle(handle, 0)
        if start < end:
            raise CheckpointError("the blocks of the index are out of order")
        end = start + size + _TRAILER.size
        for key, value in _block_entries(_block(data, handle, 0)):
            if (previous is not None and key <= previous) or key > bound:
                raise CheckpointError("the entries of the index are out of order")
            letters += len(key)
            if letters > MOST_LETTERS or len(entries) == _MOST_ENTRIES:
                raise CheckpointError("the names in the index are too long, or too many")
            entries.append((key, value))
            previous = key
        previous = bound
    return entries


def _read_handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Decode a block handle: offset and size of the block, and the position after the handle."""
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return offset, size, position


def _block(data: bytes, handle: bytes, position: int) -> bytes:
    """Return the content of the block that the handle at `position` points at."""
    offset, size, _ = _read_handle(handle, position)
    end = offset + size
    if end + _TRAILER.size > len(data):
        raise CheckpointError(f"the index block at byte {offset} lies beyond the end of the file")
    compression, expected = _TRAILER.unpack_from(data, end)
    if masked_crc32c(data[offset : end + 1]) != expected:
        raise CheckpointError(f"the index block at byte {offset} is damaged: wrong CRC32C")
    if compression != _NOT_COMPRESSED:
        kind = "Snappy" if compression == _SNAPPY else f"method {compression}"
        raise CheckpointError(
            f"the index is compressed ({kind}), which is not supported; "
            "save the checkpoint again with tf.compat.v1.train.Saver, which does not compress it"
        )
    return data[offset:end]


def _block_entries(block: bytes) -> Iterator[Entry]:
    """Decode a block: its entries, then the restart points, which only a search would need."""
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise CheckpointError("a block of the index is damaged")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        rest, position = read_varint(block, position)
        size, position = read_varint(block, position)
        stop = position + rest + size
        if shared > len(key) or stop > end or shared + rest > _MAXIMUM_KEY_SIZE:
            raise CheckpointError("an entry of the index is damaged")
        key = key[:shared] + block[position : position + rest]
        yield key, block[position + rest : stop]
        position = stop


def write_table(entries: Iterable[Entry], block_size: int = 4096) -> bytes:
    """Encode entries of strictly increasing keys, a new block after each `block_size` bytes."""
    table, index = bytearray(), []
    pending: list[Entry] = []
    pending_size = 0
    for entry in entries:
        pending.append(entry)
        pending_size += sum(map(len, entry))
        if pending_size >= block_size:
            index.append((pending[-1][0], _append_block(table, pending)))
            pending, pending_size = [], 0
    if pending:
        index.append((pending[-1][0], _append_block(table, pending)))
    handles = _append_block(table, []) + _append_block(table, index)
    return bytes(table + handles.ljust(_FOOTER_SIZE - len(_MAGIC), b"\0") + _MAGIC)


def _append_block(table: bytearray, entries: list[Entry]) -> bytes:
    """Append a block to the table and return its handle."""
    block, restarts = bytearray(), [0]
    previous = b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % _RESTART_INTERVAL:
            while shared < len(previous) and key.startswith(previous[: shared + 1]):
                shared += 1
        elif number:
            restarts.append(len(block))
        block += varint(shared) + varint(len(key) - shared) + varint(len(value))
        block += key[shared:] + value
        previous = key
    block += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
    handle = varint(len(table)) + varint(len(block))
    block.append(_NOT_COMPRESSED)
    table += block + masked_crc32c(block).to_bytes(4, "little")
    return handle
