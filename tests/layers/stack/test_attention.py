"""Attention under Keras 2 against the small package's own computation."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert import activations
from keras_bert.backend import layers, models
from keras_bert.layers import MultiHeadAttention

if not KERAS_3:
    import keras_multi_head

pytestmark = [
    pytest.mark.skipif(KERAS_3, reason="the small package's layer"),
    # It says so whenever a kernel_initializer is shared, as its default is.
    pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded"),
]

FEATURES = np.random.RandomState(0).normal(size=(3, 6, 8)).astype("float32")
FEATURES[1, 4:] = FEATURES[2, 1:] = 0.0


def pair(*arguments, **options):
    """Models of the package's layer and of this one, with the same weights, on masked features."""
    found, random = [], np.random.RandomState(1)
    for layer_class in (keras_multi_head.MultiHeadAttention, MultiHeadAttention):
        inputs = layers.Input(shape=(None, 8))
        masked = layers.Masking()(inputs)
        found.append(models.Model(inputs, layer_class(*arguments, **options)(masked)))
    weights = [random.normal(0, 0.4, weight.shape) for weight in found[0].get_weights()]
    for model in found:
        model.set_weights(weights)
    return found


@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": False}, {"history_only": True}, {"activation": "tanh"}, {"activation": None}],
)
def test_numbers_of_the_package(options):
    expected, model = pair(2, **options)
    # Its masks are −10¹⁰, this project's Google's −10,000: both leave nothing of a masked position.
    features = model.predict(FEATURES, verbose=0)
    np.testing.assert_allclose(features, expected.predict(FEATURES, verbose=0), atol=1e-5)


def test_gelu_is_the_tanh_form():
    expected, model = pair(2, activations.gelu_tanh)
    model.layers[-1].activation = activations.get("gelu")
    features = model.predict(FEATURES, verbose=0)
    np.testing.assert_allclose(features, expected.predict(FEATURES, verbose=0), atol=1e-5)
    assert MultiHeadAttention(2, "gelu").activation is activations.gelu_tanh


def test_it_is_the_packages_layer_with_its_weights():
    layer = MultiHeadAttention(2, name="attention")
    assert isinstance(layer, keras_multi_head.MultiHeadAttention)
    layer.build((None, None, 8))
    names = [weight.name.split("_")[-1] for weight in layer.weights]
    assert names == [f"{name}:0" for name in ("Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo")]
