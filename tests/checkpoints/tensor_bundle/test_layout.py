"""Names of files and numbers of types, against those of TensorFlow."""

from pathlib import Path

import pytest
from checkpoint_files import DATA

from keras_bert.checkpoints.tensor_bundle.layout import DTYPES, data_file, index_file


def test_names_of_files():
    prefix = DATA / "model.ckpt-7"
    assert index_file(prefix).is_file()
    assert data_file(prefix, 0, 1).is_file()
    assert data_file(Path("model.ckpt"), 11, 200).name == "model.ckpt.data-00011-of-00200"


def test_numbers_of_types():
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is the oracle here")
    for number, dtype in DTYPES.items():
        assert tensorflow.as_dtype(number).as_numpy_dtype == dtype
