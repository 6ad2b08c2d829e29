"""Quantized layers in operations that can be traced have the numbers of Keras' own."""

import warnings

import numpy as np
import pytest
from runtimes import RUNTIME, to_numpy

from keras_bert.backend import keras, layers, ops

if RUNTIME != "torch":
    pytest.skip("PyTorch's own", allow_module_level=True)

import torch

from keras_bert.backend.torch import project
from keras_bert.backend.torch.int8 import is_int8, project_int8

ROWS = np.random.RandomState(0).normal(size=(5, 7)).astype("float32")


def quantized(mode="int8", units=3, **options):
    dense = layers.Dense(units, bias_initializer="normal", **options)
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


def test_a_layer_in_use():
    """Its own product of int8 has the integers that NumPy computes, of one row and of many."""
    dense = quantized(units=16)
    kernel, scale, bias = (
        to_numpy(each) for each in (dense._kernel, dense.kernel_scale, dense.bias)
    )
    for count in (1, 40):
        rows = np.random.RandomState(count).normal(size=(count, 7)).astype("float32")
        steps = 127 / (np.abs(rows).max(axis=1, keepdims=True) + 1e-7)
        rounded = np.round(rows * steps.astype("float32")).astype("int32")
        expected = rounded @ kernel.astype("int32") / steps / scale + bias
        with torch.no_grad():
            found = project(dense, ops.convert_to_tensor(rows))
        np.testing.assert_allclose(to_numpy(found), expected, rtol=1e-5, atol=1e-6)


def test_gradient():
    """Rows that are trained get the gradient that Keras defines, of the kernel without rounding."""
    dense = quantized()
    rows = torch.tensor(ROWS, requires_grad=True)
    project(dense, rows).sum().backward()
    kernel = to_numpy(dense._kernel) / to_numpy(dense.kernel_scale)
    expected = np.broadcast_to(kernel.sum(axis=1), ROWS.shape)
    np.testing.assert_allclose(to_numpy(rows.grad), expected, rtol=1e-5)
