"""A checkpoint behaves as a mapping of names to arrays, whatever its format."""

import numpy as np
import pytest
from checkpoint_files import BUNDLE, DATA, is_same, numbers
from runtimes import once

from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.stored import ChangedTensor

pytestmark = once


def test_shapes_and_types_without_reading():
    checkpoint = open_checkpoint(DATA / "model.ckpt-7")
    assert checkpoint.shape("rows") == (100, 3)
    assert checkpoint.dtype("bert/half") == np.float16


def test_it_shows_what_it_is():
    checkpoint = open_checkpoint(DATA / "zip.bin")
    assert repr(checkpoint) == f"<Checkpoint {str(DATA / 'zip.bin')!r}: torch, 9 tensors>"
    checkpoint.close()
    assert repr(checkpoint).endswith("torch, closed>")


def test_tensors_are_compared_by_type_shape_and_bits(tmp_path):
    ones = np.ones((2, 3), np.float32)
    tensors = {"a": ones, "same": ones, "turned": ones.T, "half": ones.astype("float16")}
    tensors["negative"] = -ones
    write_tensor_bundle(tmp_path / "model.ckpt", tensors)
    checkpoint = open_checkpoint(tmp_path / "model.ckpt")
    equal = [name for name in checkpoint if checkpoint.are_equal("a", name)]
    assert equal == ["a", "same"]


def test_a_checkpoint_read_through_a_function():
    checkpoint = open_checkpoint(DATA / "model.ckpt-7")

    def first_rows(name, tensor):
        return ChangedTensor(tensor, (2, 3), lambda array: array[:2]) if name == "rows" else tensor

    changed = checkpoint.map(first_rows)
    assert is_same(changed["rows"], BUNDLE["rows"][:2])
    assert changed.shape("rows") == (2, 3)
    assert is_same(changed["bert/kernel"], BUNDLE["bert/kernel"])
    assert is_same(checkpoint["rows"], BUNDLE["rows"])


def test_arrays_are_private_and_writable(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt", {"a": numbers(3), "b": numbers(2)})
    checkpoint = open_checkpoint(tmp_path / "model.ckpt")
    array = checkpoint["a"]
    array[:] = 7
    assert is_same(checkpoint["a"], numbers(3))
    assert is_same(checkpoint["b"], numbers(2))


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
