"""The inputs of a BERT model."""

import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import get_inputs


@pytest.mark.parametrize("seq_len", [7, None])
def test_names_shapes_and_types(seq_len):
    inputs = get_inputs(seq_len)
    assert isinstance(inputs, list)
    names = [each.name.split(":")[0] for each in inputs]
    assert names == ["Input-Token", "Input-Segment", "Input-Masked"]
    for each in inputs:
        assert tuple(each.shape) == (None, seq_len)
        assert each.dtype == "int32"


def test_float_ids_become_integers():
    """As scripts pass them that build their arrays without a type."""
    tokens = get_inputs(None)[0]
    model = models.Model(tokens, layers.Embedding(300, 1)(tokens))
    table = np.arange(300, dtype="float32")[:, None]
    model.set_weights([table])
    output = model(ops.convert_to_tensor(np.array([[257.0, 3.0]], "float32")))
    np.testing.assert_array_equal(to_numpy(output)[..., 0], [[257, 3]])
