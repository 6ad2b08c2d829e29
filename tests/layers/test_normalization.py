from functools import partial

import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import ON_TENSORFLOW, to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import LayerNormalization


@old_cases("norm")
def test_as_the_old_layer(case, tmp_path):
    known = old_case(case)
    # The small package's default, which old files do not always name.
    known["arguments"] = {"epsilon": 1e-14}
    check_layer(**known, tmp_path=tmp_path)


@pytest.mark.parametrize("shape", [(4, 6, 32), (5, 32), (0, 6, 32)])
@pytest.mark.parametrize("training", [False, True])
def test_exact_in_a_model_of_any_shape(shape, training):
    """For which TensorFlow has one operation, if it only predicts."""
    generator = np.random.RandomState(0)
    inputs = layers.Input(shape=(*(None,) * (len(shape) - 2), 32))
    layer = LayerNormalization(epsilon=1e-12)
    model = models.Model(inputs, layer(inputs))
    layer.set_weights([generator.normal(size=32), generator.normal(size=32)])
    features = (5.0 + 3.0 * generator.normal(size=shape)).astype("float32")
    run = partial(model, training=training)
    if ON_TENSORFLOW:
        import tensorflow as tf

        run = tf.function(run, input_signature=[tf.TensorSpec((*(None,) * (len(shape) - 1), 32))])
    output = to_numpy(run(ops.convert_to_tensor(features)))
    exact = features.astype("float64")
    exact -= exact.mean(axis=-1, keepdims=True)
    exact /= np.sqrt((exact**2).mean(axis=-1, keepdims=True) + 1e-12)
    gamma, beta = layer.get_weights()
    assert output.shape == shape
    np.testing.assert_allclose(output, exact * gamma + beta, atol=4e-6)
