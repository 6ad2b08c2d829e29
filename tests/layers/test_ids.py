"""Ids outside a table are refused wherever their values are known."""

import numpy as np
import pytest
from runtimes import RUNTIME, compiled

from keras_bert.backend import layers, models, ops
from keras_bert.layers.embedding import Embedding
from keras_bert.layers.ids import check_ids


def test_ids_in_range_pass():
    check_ids("words", np.array([0, 4]), 5)
    check_ids("words", ops.convert_to_tensor(np.array([[0, 4]])), 5)
    check_ids("words", np.zeros((0, 3), "int32"), 5)


def test_ids_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"'words' has 5 rows.*\[0, 4\].*from -3 to 7.*vocab"):
        check_ids("words", ops.convert_to_tensor(np.array([[-3, 7, 1]])), 5)


@pytest.mark.skipif(RUNTIME == "torch", reason="Keras compiles nothing on PyTorch")
def test_a_compiled_function_does_not_look_at_values():
    ids = layers.Input(shape=(None,), dtype="int32")
    model = models.Model(ids, Embedding(5, 3, name="words")(ids))
    fed = ops.convert_to_tensor(np.array([[0, 4]], "int32"))
    assert compiled(model)(fed).shape == (1, 2, 3)
