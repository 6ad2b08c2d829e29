"""The feed-forward layer under Keras 2 against the small package's own computation."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert import activations
from keras_bert.backend import utils
from keras_bert.layers import FeedForward

if not KERAS_3:
    import keras_position_wise_feed_forward

pytestmark = [
    pytest.mark.skipif(KERAS_3, reason="the small package's layer"),
    # It says so whenever a kernel_initializer is shared, as its default is.
    pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded"),
]

FEATURES = np.random.RandomState(0).normal(size=(3, 6, 8)).astype("float32")


def pair(*arguments, **options):
    """The package's layer and this one, with the same weights."""
    found, random = [], np.random.RandomState(1)
    for layer_class in (keras_position_wise_feed_forward.FeedForward, FeedForward):
        found.append(layer_class(*arguments, **options))
        found[-1].build((None, None, 8))
    weights = [random.normal(0, 0.4, weight.shape) for weight in found[0].get_weights()]
    for layer in found:
        layer.set_weights(weights)
    return found


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "tanh"}])
@pytest.mark.parametrize("shape", [(3, 6, 8), (3, 2, 3, 8)])
def test_numbers_of_the_package(options, shape):
    expected, layer = pair(20, **options)
    features = FEATURES.reshape(shape)
    np.testing.assert_allclose(layer(features), expected(features), atol=1e-5)


def test_gelu_is_the_tanh_form():
    expected, _ = pair(20, activations.gelu_tanh)
    layer = FeedForward(20, "gelu")
    layer.build((None, None, 8))
    layer.set_weights(expected.get_weights())
    np.testing.assert_allclose(layer(FEATURES), expected(FEATURES), atol=1e-5)


def test_dropout_of_the_package():
    """Which draws a number for every feature, in the same order."""
    expected, layer = pair(20, dropout_rate=0.5)
    outputs = []
    for each in (expected, layer):
        utils.set_random_seed(0)
        outputs.append(each(FEATURES, training=True).numpy())
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-5)
    assert (outputs[0] != expected(FEATURES, training=False).numpy()).any()
