"""TensorFlow's checkpoints are written: TensorFlow reads them, and so does this package."""

import numpy as np
import pytest
from checkpoint_files import EVERY_TYPE, LARGE, MANY, assert_holds, is_same, numbers

from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle


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
