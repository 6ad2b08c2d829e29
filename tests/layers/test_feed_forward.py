import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, to_numpy

from keras_bert.activations import gelu_erf, gelu_tanh
from keras_bert.backend import keras, ops
from keras_bert.layers import FeedForward

# The small package says so whenever a kernel_initializer is shared, as its default is.
pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded")
keras_3 = pytest.mark.skipif(not KERAS_3, reason="the layer of Keras 3")


@pytest.mark.sampled(2)
@old_cases("feed_forward")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


def test_gelu_is_the_tanh_form_by_name():
    """Keras' own function of that name is the other one, and stays it."""
    for activation, form in (("gelu", gelu_tanh), (keras.activations.gelu, gelu_erf)):
        layer = FeedForward(3, activation)
        assert layer.activation is form
        assert type(layer).from_config(layer.get_config()).activation is form


def test_dropout_in_training_only():
    layer = FeedForward(1001, "relu", dropout_rate=0.5)
    features = ops.convert_to_tensor(np.zeros((1, 1, 4), "float32"))
    layer(features)
    # Hidden features are ones; the output is the mean of those that are kept, each doubled.
    layer.set_weights(
        [np.zeros((4, 1001)), np.ones(1001), np.full((1001, 4), 1 / 1001), np.zeros(4)]
    )
    np.testing.assert_allclose(to_numpy(layer(features, training=False)), 1.0, atol=1e-4)
    trained = to_numpy(layer(features, training=True))[0, 0, 0]
    assert 0.8 < trained < 1.2  # the standard deviation is 0.032
    assert abs(trained - 1.0) > 5e-4  # an even number never is half of 1001


@keras_3
def test_features_of_higher_rank():
    features = np.random.RandomState(7).normal(size=(2, 3, 4, 5)).astype("float32")
    layer = FeedForward(6, "linear")
    output = to_numpy(layer(ops.convert_to_tensor(features)))
    first, bias_1, second, bias_2 = layer.get_weights()
    np.testing.assert_allclose(output, (features @ first + bias_1) @ second + bias_2, atol=1e-5)


@pytest.mark.slow
@keras_3
def test_lora_and_int8_reach_the_kernels():
    layer = FeedForward(6, "relu")
    layer.build((None, None, 4))
    dense = [each for each in layer._flatten_layers() if isinstance(each, keras.layers.Dense)]
    assert [tuple(each.kernel.shape) for each in dense] == [(4, 6), (6, 4)]
    for each in dense:
        each.enable_lora(2)
    assert len(layer.trainable_weights) == 6  # two biases, four LoRA factors
    layer = FeedForward(64, "relu")
    features = np.random.RandomState(8).normal(size=(2, 3, 32)).astype("float32")
    before = to_numpy(layer(ops.convert_to_tensor(features)))
    for each in layer._flatten_layers():
        if isinstance(each, keras.layers.Dense):
            each.quantize("int8")
    after = to_numpy(layer(ops.convert_to_tensor(features)))
    assert 0 < np.abs(after - before).max() < 0.05 * np.abs(before).max()


@keras_3
def test_subclass_without_mask():
    """Written before the layer took a mask."""

    class Doubled(FeedForward):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs, training=training)

    features = ops.convert_to_tensor(np.ones((2, 3, 4), "float32"))
    plain, doubled = FeedForward(6), Doubled(6)
    plain(features)
    doubled(features)
    doubled.set_weights(plain.get_weights())
    np.testing.assert_allclose(to_numpy(doubled(features)), 2 * to_numpy(plain(features)))


@keras_3
def test_gelu_is_the_tanh_form():
    features = np.linspace(-3, 3, 12, dtype="float32").reshape(1, 3, 4)
    layer = FeedForward(4, "gelu")
    layer.build((None, None, 4))
    layer.set_weights([np.eye(4), np.zeros(4), np.eye(4), np.zeros(4)])
    x = features.astype("float64")
    expected = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(
        to_numpy(layer(ops.convert_to_tensor(features))), expected, atol=1e-6
    )
