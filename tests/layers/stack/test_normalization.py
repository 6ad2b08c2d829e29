"""Layer normalization under Keras 2 against the small package's own computation."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert.backend import layers, models
from keras_bert.layers import LayerNormalization

if not KERAS_3:
    import keras_layer_normalization

pytestmark = pytest.mark.skipif(KERAS_3, reason="the small package's layer")


@pytest.mark.parametrize("length", [None, 6])
@pytest.mark.parametrize("options", [{}, {"epsilon": 0.1}, {"center": False}, {"scale": False}])
def test_numbers_of_the_package(options, length):
    random, outputs = np.random.RandomState(0), []
    features = (5 + 3 * random.normal(size=(3, 6, 32))).astype("float32")
    weights = None
    for layer_class in (keras_layer_normalization.LayerNormalization, LayerNormalization):
        inputs = layers.Input(shape=(length, 32))
        model = models.Model(inputs, layer_class(**options)(inputs))
        weights = weights or [random.normal(size=each.shape) for each in model.get_weights()]
        model.set_weights(weights)
        outputs.append(model.predict(features, verbose=0))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-5)


def test_its_default_is_the_packages():
    assert isinstance(LayerNormalization(), keras_layer_normalization.LayerNormalization)
    assert LayerNormalization().epsilon == pytest.approx(1e-14)
