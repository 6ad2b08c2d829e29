import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, ON_TENSORFLOW, to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import PositionEmbedding

keras_3 = pytest.mark.skipif(not KERAS_3, reason="the small package's layer is another")


@old_cases("position")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


@pytest.mark.parametrize("mode", ["add", "concat"])
def test_longer_than_the_table(mode):
    layer = PositionEmbedding(4, 6, mode=mode, name="places")
    message = "'places' holds 4 positions.*length 5"
    with pytest.raises(ValueError, match=message):
        layer(layers.Input(shape=(5, 6)))
    with pytest.raises(ValueError, match=message):
        layer(ops.convert_to_tensor(np.zeros((1, 5, 6), "float32")))
    inputs = layers.Input(shape=(None, 6))
    layer = PositionEmbedding(4, 6, mode=mode, name="places")
    model = models.Model(inputs, layer(inputs))
    with pytest.raises(ValueError, match=message):
        model.predict(np.zeros((1, 5, 6), "float32"), verbose=0)


def test_one_position_is_not_used_for_all():
    inputs = layers.Input(shape=(None, 6))
    model = models.Model(inputs, PositionEmbedding(1, 6, mode="add")(inputs))
    model.predict(np.zeros((1, 1, 6), "float32"), verbose=0)
    # After other lengths, TensorFlow compiles for any.
    for length in (2, 3, 4) if ON_TENSORFLOW else (2,):
        with pytest.raises(Exception, match=rf"length ({length}|above that)|requested shape"):
            model.predict(np.zeros((1, length, 6), "float32"), verbose=0)
    if ON_TENSORFLOW:
        # What is compiled for any length from the start
        import tensorflow as tf

        call = tf.function(model, input_signature=[tf.TensorSpec((None, None, 6))])
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"1.positions"):
            call(tf.zeros((1, 4, 6)))


def test_no_positions():
    layer = PositionEmbedding(4, 6, mode="add", name="places")
    with pytest.raises(ValueError, match=r"'places' needs .* length 0"):
        layer(ops.convert_to_tensor(np.zeros((1, 0, 6), "float32")))


@keras_3
def test_unknown_mode():
    with pytest.raises(ValueError, match=r"'expand', 'add' or 'concat'.*mode='sum'"):
        PositionEmbedding(4, 6, mode="sum")


@keras_3
def test_float_positions_are_not_rounded_to_16_bits():
    layer = PositionEmbedding(300, 1, dtype="mixed_bfloat16")
    layer.build((None, None))
    layer.set_weights([(np.arange(601) == 557).astype("float32")[:, None]])
    output = layer(ops.convert_to_tensor(np.array([[257.0, 256.0]], "float32")))
    assert to_numpy(output).ravel().tolist() == [1.0, 0.0]
