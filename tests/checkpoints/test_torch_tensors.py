"""Tensors as views of storages: whatever a pickle says, they stay inside."""

import struct

import numpy as np
import pytest
from checkpoint_files import assert_holds, numbers, save_pickle

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.torch_tensors import Storage, Tensor, rebuild_tensor

STORAGE = Storage("0", np.dtype(np.float32), 24)


def test_dense_tensors_need_no_strides():
    assert rebuild_tensor(STORAGE, 0, (4, 6), (6, 1)) == Tensor(STORAGE, 0, (4, 6), None)
    # PyTorch may give an axis of one element any stride.
    assert rebuild_tensor(STORAGE, 5, (1, 6), (77, 1)) == Tensor(STORAGE, 5, (1, 6), None)
    assert rebuild_tensor(STORAGE, 0, (6, 4), (1, 6)) == Tensor(STORAGE, 0, (6, 4), (1, 6))


def test_whether_a_tensor_is_all_of_its_storage():
    for shape, strides, fills in [
        ((4, 6), (6, 1), True),
        ((6, 4), (1, 6), True),
        ((4, 5), (6, 1), False),
        ((24, 1), (1, 1), True),
        ((4, 6), (0, 1), False),
    ]:
        assert rebuild_tensor(STORAGE, 0, shape, strides).fills_storage is fills


def pickled_tensor(offset, shape, strides, key="0", count=24, kind=b"FloatStorage", rest=b""):
    """Pickle {'a': tensor} by hand, as PyTorch does."""

    def number(value):
        content = value.to_bytes(12, "little", signed=True)
        return b"\x8a" + bytes([len(content)]) + content

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = b"(" + text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text("cpu")
    storage += number(count) + rest + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset)
    tensor += numbers(shape) + numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}" + text("a") + tensor + b"s."


def test_the_hand_made_pickle_is_right(tmp_path):
    path = save_pickle(tmp_path / "m.bin", pickled_tensor(0, (4, 6), (6, 1)), legacy=False)
    assert_holds(open_checkpoint(path), {"a": numbers(4, 6)})


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((1, (4, 6), (6, 1)), id="offset"),
        pytest.param((-1, (4, 6), (6, 1)), id="negative offset"),
        pytest.param((0, (4, 6), (7, 1)), id="strides too wide"),
        pytest.param((0, (4, 6), (-6, 1)), id="negative stride"),
        pytest.param((0, (4, 6), (6,)), id="too few strides"),
        pytest.param((0, (5, 6), (6, 1)), id="shape"),
        pytest.param((0, (-4, -6), (6, 1)), id="negative shape"),
        pytest.param((0, (2**30, 2**30), (0, 0)), id="a billion times a billion elements"),
        pytest.param((0, (2**62, 0), (0, 1)), id="empty with a huge axis"),
        pytest.param((0, (1,) * 100, (1,) * 100), id="a hundred axes"),
        pytest.param((0, (4, 6), (6, 1), "1"), id="another storage"),
        pytest.param((0, (4, 6), (6, 1), "../data.pkl"), id="a path for a storage"),
        pytest.param((0, (4, 6), (6, 1), "0", 25), id="a storage that is too long"),
        pytest.param((0, (4, 6), (6, 1), "0", -24), id="a storage of negative length"),
        pytest.param((0, (4, 6), (6, 1), "0", 2**60), id="a storage of an exabyte"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"DoubleStorage"), id="another type"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"QInt8Storage"), id="unknown type"),
        pytest.param((0, (4, 6), (6, 1), "0", 24, b"FloatStorage", b"K\x01"), id="storage view"),
    ],
)
def test_tensors_outside_their_storage_are_errors(tmp_path, arguments):
    path = save_pickle(tmp_path / "m.bin", pickled_tensor(*arguments), legacy=False)
    with pytest.raises(CheckpointError, match=r"m\.bin"):
        open_checkpoint(path)


def test_a_part_of_a_tensor_needs_a_checksum(tmp_path):
    torch = pytest.importorskip("torch", reason="only PyTorch writes such files")
    part = torch.arange(6).reshape(2, 3)[:, :2]
    torch.save({"a": part}, tmp_path / "new.bin")
    assert_holds(open_checkpoint(tmp_path / "new.bin"), {"a": part.numpy()})
    torch.save({"a": part}, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="save a clone of that tensor"):
        open_checkpoint(tmp_path / "old.bin")
