"""TensorFlow's checkpoints are read: files that TensorFlow wrote, and files that are wrong."""

import sys
import tracemalloc

import numpy as np
import pytest
from checkpoint_files import BUNDLE, DATA, EVERY_TYPE, LARGE, MANY, assert_holds, is_same, numbers

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.tensor_bundle.layout import Entry
from keras_bert.checkpoints.tensor_bundle.table import read_table, write_table
from keras_bert.checkpoints.tensor_bundle.wire import field


def test_a_file_that_tensorflow_wrote():
    with open_checkpoint(DATA / "model.ckpt-7") as checkpoint:
        assert checkpoint.format == "tensor_bundle"
        assert checkpoint.path == DATA / "model.ckpt-7"
        assert set(checkpoint) == {*BUNDLE, "words"}
        for name, array in BUNDLE.items():
            assert is_same(checkpoint[name], array), name


def test_strings_are_refused_only_when_read():
    checkpoint = open_checkpoint(DATA / "model.ckpt-7")
    assert checkpoint.shape("words") == ()
    with pytest.raises(CheckpointError, match="'words': it holds strings"):
        checkpoint["words"]
    with pytest.raises(CheckpointError, match="'words': it holds strings"):
        checkpoint.dtype("words")


def test_an_object_based_checkpoint_of_no_bert_keeps_its_keys():
    with open_checkpoint(DATA / "object_based") as checkpoint:
        assert_holds(checkpoint, {"kernel/.ATTRIBUTES/VARIABLE_VALUE": numbers(2, 2)})


def test_what_tensorflow_writes_is_read(tmp_path):
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is the oracle here")
    tensors = {name.replace("中文", "x").replace(" ", "_"): a for name, a in EVERY_TYPE.items()}
    tensors |= MANY | LARGE
    tensorflow.raw_ops.SaveV2(
        prefix=str(tmp_path / "model.ckpt"),
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tensorflow.constant(array) for array in tensors.values()],
    )
    assert_holds(open_checkpoint(tmp_path / "model.ckpt"), tensors)


def test_pieces_that_are_named_again_and_again_take_no_memory(tmp_path):
    """Each holds the whole name; the message that names it has a few bytes."""
    name = "a" * 4000
    write_tensor_bundle(tmp_path / "model.ckpt", {name: numbers(5000)})
    index = tmp_path / "model.ckpt.index"
    entries = dict(read_table(index.read_bytes()))
    entries[name.encode()] += field(Entry.SLICES, field(1, b"")) * 5000
    index.write_bytes(write_table(sorted(entries.items())))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="do not follow each other"):
            open_checkpoint(tmp_path / "model.ckpt")
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_other_byte_order(tmp_path):
    # The header's second field is the byte order; it is left out when it is 'little'.
    assert sys.byteorder == "little"
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3, 4).view(np.uint32).byteswap()})
    index = tmp_path / "model.ckpt.index"
    (header_key, header), (key, entry) = read_table(index.read_bytes())
    assert header.count(b"\x10\x00") == 1
    assert entry.startswith(b"\x08\x16")
    big_endian = [(header_key, header.replace(b"\x10\x00", b"\x10\x01"))]
    float_entry = [(key, entry.replace(b"\x08\x16", b"\x08\x01"))]
    index.write_bytes(write_table(big_endian + float_entry))
    assert_holds(open_checkpoint(tmp_path / "model.ckpt"), {"a": numbers(3, 4)})


def test_tensors_without_padding_are_aligned(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": np.array([True]), "b": numbers(2)})
    assert open_checkpoint(tmp_path / "model.ckpt")["b"].flags.aligned


def test_a_damaged_tensor_is_named_and_the_others_stay_readable(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3), "b": numbers(2)})
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[1] ^= 4
    data.write_bytes(content)
    checkpoint = open_checkpoint(tmp_path / "model.ckpt")
    assert is_same(checkpoint["b"], numbers(2))
    with pytest.raises(CheckpointError, match=r"model\.ckpt: tensor 'a': .*checksum"):
        checkpoint["a"]


def test_a_missing_data_file(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3)})
    (tmp_path / "model.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(FileNotFoundError, match="data-00000-of-00001"):
        open_checkpoint(tmp_path / "model.ckpt")
