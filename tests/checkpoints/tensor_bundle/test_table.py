"""LevelDB's sorted tables, in which TensorFlow keeps an index."""

import struct

import pytest
from checkpoint_files import DATA, numbers
from runtimes import once

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.tensor_bundle.crc32c import masked_crc32c
from keras_bert.checkpoints.tensor_bundle.table import _MAGIC as MAGIC
from keras_bert.checkpoints.tensor_bundle.table import _append_block, read_table, write_table

pytestmark = once


def test_a_table_that_tensorflow_wrote():
    entries = read_table((DATA / "model.ckpt-7.index").read_bytes())
    keys = [key for key, _ in entries]
    assert keys == sorted(keys)
    assert keys[0] == b""
    assert [key for key in keys if key.startswith(b"bert/")] == [
        b"bert/brain",
        b"bert/half",
        b"bert/kernel",
    ]


@pytest.mark.parametrize("block_size", [1, 100, 4096])
def test_entries_of_any_number_of_blocks(block_size):
    entries = [(b"layer_%03d/kernel" % number, b"\0" * number) for number in range(200)]
    assert read_table(write_table(entries, block_size)) == entries


@pytest.mark.parametrize("content", [b"", b"text" * 100, write_table([(b"a", b"b")])[:-1]])
def test_what_is_no_table(content):
    with pytest.raises(CheckpointError, match="no TensorFlow checkpoint index"):
        read_table(content)


def test_a_compressed_index_is_refused(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3)})
    index = tmp_path / "model.ckpt.index"
    content = bytearray(index.read_bytes())
    # The first block ends where the second, whose handle opens the footer, begins.
    second = content[-48]
    content[second - 5] = 1
    content[second - 4 : second] = struct.pack("<I", masked_crc32c(content[: second - 4]))
    index.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"compressed \(Snappy\)"):
        open_checkpoint(tmp_path / "model.ckpt")


def test_long_keys_that_share_their_beginnings_are_refused(monkeypatch):
    """A small table could fill any memory with them."""
    contents = write_table([(b"a" * 4000 + b"%02d" % number, b"") for number in range(50)])
    assert len(read_table(contents)) == 50
    monkeypatch.setattr(f"{read_table.__module__}.MOST_LETTERS", 200_000)
    with pytest.raises(CheckpointError, match="names in the index are too long"):
        read_table(contents)


@pytest.mark.slow
def test_entries_without_end_are_refused():
    """Of a few bytes each, which become objects of hundreds."""
    entries = [(b"%06d" % number, b"") for number in range(100_001)]
    assert len(read_table(write_table(entries[:-1]))) == 100_000
    with pytest.raises(CheckpointError, match="or too many"):
        read_table(write_table(entries))


def test_index_blocks_that_are_used_twice_are_seen():
    """Blocks within blocks, each read and summed anew, would take any amount of time."""
    table = bytearray()
    handle = _append_block(table, [])
    index = [(b"%d" % number, handle) for number in range(3)]
    handles = _append_block(table, []) + _append_block(table, index)
    with pytest.raises(CheckpointError, match="blocks of the index are out of order"):
        read_table(bytes(table + handles.ljust(40, b"\0") + MAGIC))


def test_index_blocks_in_another_order_are_seen():
    # All blocks are of the same length, and each has the right checksum wherever it lies.
    entries = [(b"key%04d" % number, b"value%04d" % number) for number in range(100)]
    table = write_table(entries, block_size=160)
    assert read_table(table) == entries
    size = table.index(b"key0010") - table.index(b"key0000")
    swapped = table[size : 2 * size] + table[:size] + table[2 * size :]
    with pytest.raises(CheckpointError, match="out of order"):
        read_table(swapped)
