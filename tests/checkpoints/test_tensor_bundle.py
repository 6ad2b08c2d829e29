"""TensorFlow's format: files that TensorFlow wrote, and files that it reads."""

import struct
import sys

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import BUNDLE, DATA, assert_holds, is_same, numbers

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.tensor_bundle.crc32c import masked_crc32c
from keras_bert.checkpoints.tensor_bundle.table import read_table, write_table

EVERY_TYPE = {
    "float32": numbers(3, 4),
    "float64": numbers(3, 4).astype(np.float64),
    "float16": numbers(3, 4).astype(np.float16),
    "bfloat16": numbers(3, 4).astype(ml_dtypes.bfloat16),
    **{
        kind: np.array([[0, 1], [2, 100]], kind)
        for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    },
    "bool": np.array([True, False, True]),
    "scalar": np.float32(2.5),
    "empty": np.zeros((2, 0), np.float32),
    "a name/in 中文": numbers(2),
}
# Enough for several blocks of the index, and data that is folded when its CRC32C is computed.
MANY = {f"layer_{number}/kernel": numbers(number, 2) for number in range(300)}
LARGE = {"large": np.random.default_rng(0).normal(size=(700, 300)).astype(np.float32)}


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


def test_object_based_checkpoints_are_refused_with_a_way_out():
    with pytest.raises(CheckpointError, match=r"(?s)object-based.*save the weights.*\.weights\.h5"):
        open_checkpoint(DATA / "object_based")


@pytest.mark.parametrize("num_shards", [1, 3])
@pytest.mark.parametrize("tensors", [EVERY_TYPE, MANY, LARGE, {}])
def test_what_is_written_is_read(tmp_path, tensors, num_shards):
    write_tensor_bundle(tmp_path / "model.ckpt", tensors, num_shards)
    assert len(list(tmp_path.iterdir())) == num_shards + 1
    assert_holds(open_checkpoint(tmp_path / "model.ckpt"), tensors)


@pytest.mark.parametrize("num_shards", [1, 3])
@pytest.mark.parametrize("tensors", [EVERY_TYPE, MANY, LARGE])
def test_tensorflow_reads_what_is_written(tmp_path, tensors, num_shards):
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is the oracle here")
    write_tensor_bundle(tmp_path / "model.ckpt", tensors, num_shards)
    reader = tensorflow.train.load_checkpoint(str(tmp_path / "model.ckpt"))
    assert set(reader.get_variable_to_shape_map()) == set(tensors)
    for name, array in tensors.items():
        assert is_same(np.asarray(reader.get_tensor(name)), array), name


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


def test_arrays_are_private_and_writable(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3), "b": numbers(2)})
    checkpoint = open_checkpoint(tmp_path / "model.ckpt")
    array = checkpoint["a"]
    array[:] = 7
    assert is_same(checkpoint["a"], numbers(3))
    assert is_same(checkpoint["b"], numbers(2))


def test_tensors_without_padding_are_aligned(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": np.array([True]), "b": numbers(2)})
    assert open_checkpoint(tmp_path / "model.ckpt")["b"].flags.aligned


def test_arrays_outlive_the_checkpoint(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3)})
    with open_checkpoint(tmp_path / "model.ckpt") as checkpoint:
        array = checkpoint["a"]
    assert is_same(array, numbers(3))
    with pytest.raises(ValueError, match="has been closed"):
        checkpoint["a"]


def test_an_unknown_name_is_a_key_error(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3)})
    checkpoint = open_checkpoint(tmp_path / "model.ckpt")
    assert "b" not in checkpoint
    assert checkpoint.get("b") is None
    with pytest.raises(KeyError, match="holds no tensor named 'b'"):
        checkpoint["b"]


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


def test_whole_index_blocks_in_each_others_place_are_seen():
    # All blocks are of the same length, and each has the right checksum wherever it lies.
    entries = [(b"key%04d" % number, b"value%04d" % number) for number in range(100)]
    table = write_table(entries, block_size=160)
    assert read_table(table) == entries
    size = table.index(b"key0010") - table.index(b"key0000")
    swapped = table[size : 2 * size] + table[:size] + table[2 * size :]
    with pytest.raises(CheckpointError, match="out of order"):
        read_table(swapped)


@pytest.mark.parametrize(
    ("tensors", "num_shards", "message"),
    [
        ({"a": np.array(["text"])}, 1, "cannot hold arrays of type <U4. Received: 'a'"),
        ({"a": np.zeros(2, np.complex64)}, 1, "cannot hold arrays of type complex64"),
        ({"": numbers(1)}, 1, "name must be a string"),
        ({3: numbers(1)}, 1, "name must be a string"),
        ({"a": numbers(1)}, 0, "num_shards=0"),
    ],
)
def test_what_cannot_be_written(tmp_path, tensors, num_shards, message):
    with pytest.raises(ValueError, match=message):
        write_tensor_bundle(tmp_path / "model.ckpt", tensors, num_shards)
    assert not (tmp_path / "model.ckpt.index").exists()


def test_a_write_that_breaks_off_leaves_the_old_checkpoint(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3)})
    with pytest.raises(ValueError, match="cannot hold"):
        write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(5), "b": np.array(["text"])})
    assert_holds(open_checkpoint(tmp_path / "model.ckpt"), {"a": numbers(3)})
    assert len(list(tmp_path.iterdir())) == 2
