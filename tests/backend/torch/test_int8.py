"""Quantized layers in operations that can be traced have the numbers of Keras' own."""

import warnings

import numpy as np
import pytest
from runtimes import RUNTIME, to_numpy

from keras_bert.backend import keras, layers, ops

if RUNTIME != "torch":
    pytest.skip("PyTorch's own", allow_module_level=True)

from keras_bert.backend.torch.int8 import is_int8, project_int8

ROWS = np.random.RandomState(0).normal(size=(5, 7)).astype("float32")


def quantized(mode="int8", **options):
    dense = layers.Dense(3, bias_initializer="normal", **options)
    dense.build(ROWS.shape)
    dense.quantize(mode)
    return dense


@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"use_bias": False}])
def test_numbers_of_keras(options):
    dense = quantized(**options)
    assert is_int8(dense)
    rows = ops.convert_to_tensor(ROWS)
    np.testing.assert_allclose(
        to_numpy(project_int8(dense, rows)), to_numpy(dense(rows)), rtol=1e-6, atol=1e-6
    )


def test_zeros():
    rows = ops.zeros((2, 7))
    dense = quantized()
    np.testing.assert_array_equal(to_numpy(project_int8(dense, rows)), to_numpy(dense(rows)))


def test_what_is_left_to_keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        of_4_bits = quantized("int4")
    with_lora = quantized()
    with_lora.enable_lora(2)
    rounded_less = quantized()
    rounded_less.inputs_quantizer = keras.quantizers.AbsMaxQuantizer(value_range=(-7, 7))
    plain = layers.Dense(3)
    plain.build(ROWS.shape)
    for dense in (of_4_bits, with_lora, rounded_less, plain):
        assert not is_int8(dense)
