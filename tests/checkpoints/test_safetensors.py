"""The safetensors format, against the safetensors library."""

import json

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import assert_holds, is_same, numbers
from safetensors import SafetensorError
from safetensors.numpy import save_file

from keras_bert.checkpoints import CheckpointError, open_checkpoint, safetensors
from keras_bert.checkpoints.safetensors import write_safetensors
from keras_bert.families import BERT
from keras_bert.families.weights import to_checkpoint

TENSORS = {
    "float32": numbers(3, 4),
    "float64": numbers(3, 4).astype(np.float64),
    "float16": numbers(3, 4).astype(np.float16),
    **{
        kind: np.array([[0, 1], [2, 100]], kind)
        for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    },
    "bool": np.array([True, False, True]),
    "scalar": np.array(2.5, np.float32),
    "empty": np.zeros((2, 0), np.float32),
}


def write(path, header, data=b"", extra_length=0):
    """Write a file by hand."""
    text = json.dumps(header).encode()
    path.write_bytes((len(text) + extra_length).to_bytes(8, "little") + text + data)
    return path


def test_files_of_the_library_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "model.safetensors", metadata={"format": "np"})
    checkpoint = open_checkpoint(tmp_path / "model.safetensors")
    assert checkpoint.format == "safetensors"
    assert_holds(checkpoint, TENSORS)


def test_a_file_is_for_whom_the_umask_says(tmp_path):
    path, other = tmp_path / "model.safetensors", tmp_path / "other"
    other.touch()
    for _ in range(2):
        write_safetensors(path, {"a": numbers(3)})
        assert path.stat().st_mode == other.stat().st_mode


def test_what_the_library_cannot_write_is_an_os_error(tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(safetensors, "save_file", full_disk)
    with pytest.raises(OSError, match=r"model\.safetensors could not be written .*No space left"):
        write_safetensors(tmp_path / "model.safetensors", {"a": numbers(3)})


def test_bfloat16(tmp_path):
    array = numbers(3, 4).astype(ml_dtypes.bfloat16)
    header = {"a": {"dtype": "BF16", "shape": [3, 4], "data_offsets": [0, 24]}}
    path = write(tmp_path / "model.safetensors", header, array.tobytes())
    assert_holds(open_checkpoint(path), {"a": array})


@pytest.mark.slow
def test_pytorch_agrees(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    from safetensors.torch import load_file
    from safetensors.torch import save_file as save_torch_file

    tensors = {"a": torch.arange(6).reshape(2, 3).bfloat16(), "b": torch.randn(4)}
    save_torch_file(tensors, tmp_path / "model.safetensors")
    checkpoint = open_checkpoint(tmp_path / "model.safetensors")
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        np.testing.assert_array_equal(checkpoint[name].astype(np.float32), tensor.float().numpy())
    assert checkpoint.dtype("a") == ml_dtypes.bfloat16


def test_other_types_are_refused_only_when_read(tmp_path):
    header = {
        "a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    }
    checkpoint = open_checkpoint(write(tmp_path / "model.safetensors", header, bytes(8)))
    assert checkpoint["b"] == 0
    with pytest.raises(CheckpointError, match="'a': its type F8_E4M3 cannot be read"):
        checkpoint["a"]


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "extra_length"),
    [
        pytest.param({"a": ENTRY}, bytes(7), 0, id="data too short"),
        pytest.param({"a": ENTRY}, bytes(9), 0, id="data too long"),
        pytest.param({"a": ENTRY}, bytes(8), 2**40, id="header of a terabyte"),
        pytest.param({"a": ENTRY | {"shape": [2**62, 2]}}, bytes(8), 0, id="shape overflows"),
        pytest.param({"a": ENTRY | {"shape": [-2]}}, bytes(8), 0, id="negative shape"),
        pytest.param({"a": ENTRY | {"data_offsets": [8, 0]}}, bytes(8), 0, id="reversed"),
        pytest.param({"a": ENTRY | {"dtype": "F33"}}, bytes(8), 0, id="no such type"),
        pytest.param({"a": ENTRY, "b": ENTRY}, bytes(8), 0, id="overlap"),
        pytest.param({"a": 1}, bytes(8), 0, id="no entry"),
        pytest.param([], b"", 0, id="no object"),
        pytest.param(
            {"a": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}},
            b"",
            0,
            id="empty with a huge axis",
        ),
    ],
)
def test_headers_that_cannot_be_right(tmp_path, header, data, extra_length):
    path = write(tmp_path / "model.safetensors", header, data, extra_length)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        open_checkpoint(path)


def test_the_library_writes_what_to_checkpoint_gives(tmp_path):
    # The library writes an array's memory as it lies, so that it must be in C order.
    weights = {}
    for row in BERT.weights({"num_hidden_layers": 1}, training=False):
        is_matrix = row.huggingface_transform == "transpose"
        weights.setdefault(row.layer, []).append(numbers(2, 3) if is_matrix else numbers(4))
    tensors = to_checkpoint(weights, "huggingface")
    save_file(tensors, tmp_path / "model.safetensors")
    checkpoint = open_checkpoint(tmp_path / "model.safetensors")
    assert_holds(checkpoint, tensors)
    assert is_same(checkpoint["bert.encoder.layer.0.output.dense.weight"], numbers(2, 3).T)
