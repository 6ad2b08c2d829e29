from functools import partial

import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, ON_TENSORFLOW, dtype_name, to_numpy

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
@pytest.mark.parametrize("policy", ["float32", "bfloat16"] if KERAS_3 else ["float32"])
def test_exact_in_a_model_of_any_shape(shape, training, policy):
    """For which TensorFlow has one operation, if it only predicts."""
    generator = np.random.RandomState(0)
    inputs = layers.Input(shape=(*(None,) * (len(shape) - 2), 32))
    layer = LayerNormalization(epsilon=1e-12, dtype=policy)
    model = models.Model(inputs, layer(ops.cast(inputs, policy)))
    layer.set_weights([generator.normal(size=32), generator.normal(size=32)])
    features = (5.0 + 3.0 * generator.normal(size=shape)).astype("float32")
    run = partial(model, training=training)
    if ON_TENSORFLOW:
        import tensorflow as tf

        run = tf.function(run, input_signature=[tf.TensorSpec((*(None,) * (len(shape) - 1), 32))])
    output = run(ops.convert_to_tensor(features))
    assert dtype_name(output) == policy
    output = to_numpy(output)
    exact = to_numpy(ops.cast(ops.cast(features, policy), "float32")).astype("float64")
    exact -= exact.mean(axis=-1, keepdims=True)
    exact /= np.sqrt((exact**2).mean(axis=-1, keepdims=True) + 1e-12)
    gamma, beta = layer.get_weights()
    assert output.shape == shape
    exact = exact * np.asarray(gamma, "float64") + np.asarray(beta, "float64")
    rounding = {"float32": 4e-6, "bfloat16": 2**-8 * 16}[policy]  # of numbers up to 16
    np.testing.assert_allclose(output.astype("float64"), exact, rtol=0, atol=rounding)


@pytest.mark.skipif(not KERAS_3, reason="The small package's layer knows neither.")
@pytest.mark.parametrize("options", [{}, {"rms_scaling": True}])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.filterwarnings("ignore:.*rms_scaling")
def test_what_one_operation_does_not_compute_is_as_in_keras(options, dtype):
    features = ops.convert_to_tensor(np.arange(24, dtype=dtype).reshape(2, 3, 4))
    layer, expected = (each(**options) for each in (LayerNormalization, layers.LayerNormalization))
    np.testing.assert_allclose(to_numpy(layer(features)), to_numpy(expected(features)), atol=1e-6)
