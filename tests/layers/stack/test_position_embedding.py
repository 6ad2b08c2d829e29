"""The position embedding under Keras 2: the small package's numbers, but no wrong lengths."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert.layers import PositionEmbedding

if not KERAS_3:
    import keras_pos_embd
    import tensorflow as tf

pytestmark = pytest.mark.skipif(KERAS_3, reason="the small package's layer")

FEATURES = np.random.RandomState(0).normal(size=(2, 3, 6)).astype("float32")


@pytest.mark.parametrize(
    ("mode", "inputs"),
    [("add", FEATURES), ("concat", FEATURES), ("expand", np.array([[-9, -1, 0], [1, 4, 9]]))],
)
def test_numbers_of_the_package(mode, inputs):
    outputs = []
    for layer_class in (keras_pos_embd.PositionEmbedding, PositionEmbedding):
        layer = layer_class(4, 6, mode=mode)
        layer.build(inputs.shape)
        (table,) = layer.get_weights()
        layer.set_weights([np.arange(table.size).reshape(table.shape)])
        outputs.append(layer(inputs).numpy())
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("mode", ["add", "concat"])
def test_lengths_that_are_known_when_it_is_called_only(mode):
    """Where a table of one row would serve all positions."""
    layer = PositionEmbedding(1, 6, mode=mode, name="positions")
    layer.build((None, None, 6))
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, None, 6))])
    assert run(FEATURES[:, :1]).shape[1] == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"holds 1 positions\. Received"):
        run(FEATURES)


def test_positions_of_any_size_are_clipped_when_they_are_given():
    layer = PositionEmbedding(1, 6)
    assert layer(np.arange(9)[None]).shape == (1, 9, 6)
