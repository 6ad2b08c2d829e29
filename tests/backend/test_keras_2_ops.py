"""Keras 2's operations against NumPy and, on TensorFlow with Keras 3, against `keras.ops`."""

import inspect
import math

import numpy as np
import pytest
from numpy_functions import gelu_erf, gelu_tanh, softmax
from runtimes import ON_TENSORFLOW, RUNTIME

from keras_bert.backend import keras

if ON_TENSORFLOW:
    import tensorflow as tf

    from keras_bert.backend import keras_2_ops

pytestmark = pytest.mark.skipif(not ON_TENSORFLOW, reason="operations of TensorFlow")

X = np.random.RandomState(0).normal(size=(2, 3, 4)).astype("float32")
Y = np.random.RandomState(1).normal(size=(2, 3, 4)).astype("float32")
POSITIVE = X + 4
IDS = np.array([[0, 2], [1, 1]])
FLAGS = X > 0

# Name, arguments, and what comes out.
CASES = [
    ("abs", (X,), np.abs(X)),
    ("any", (FLAGS,), FLAGS.any()),
    ("any", (FLAGS, 1), FLAGS.any(axis=1)),
    ("arange", (5,), np.arange(5)),
    ("arange", (1, 5), np.arange(1, 5)),
    ("argmax", (X, 1), X.argmax(axis=1)),
    ("cast", (POSITIVE, "int32"), POSITIVE.astype("int32")),
    ("concatenate", ([X, Y],), np.concatenate([X, Y], axis=0)),
    ("concatenate", ([X, Y], 1), np.concatenate([X, Y], axis=1)),
    ("convert_to_tensor", (X,), X),
    ("cumsum", (X, 1), np.cumsum(X, axis=1)),
    ("diagonal", (X[0, :, :3],), np.diagonal(X[0, :, :3])),
    ("einsum", ("btd,bsd->bts", X, Y), X @ Y.transpose(0, 2, 1)),
    ("equal", (X, np.abs(X)), np.abs(X) == X),
    ("erf", (X,), np.vectorize(math.erf)(X)),
    ("expand_dims", (X, -1), X[..., None]),
    ("expm1", (X,), np.expm1(X)),
    ("gelu", (X,), gelu_tanh(X)),
    ("gelu", (X, False), gelu_erf(X)),
    ("log", (POSITIVE,), np.log(POSITIVE)),
    ("logical_and", (X > 0, Y > 0), (X > 0) & (Y > 0)),
    ("logical_not", (FLAGS,), ~FLAGS),
    ("logsumexp", (X,), np.log(np.exp(X).sum())),
    ("logsumexp", (X, 1), np.log(np.exp(X).sum(axis=1))),
    ("matmul", (X, Y.transpose(0, 2, 1)), X @ Y.transpose(0, 2, 1)),
    ("max", (X,), X.max()),
    ("max", (X, 1, True), X.max(axis=1, keepdims=True)),
    ("maximum", (X, Y), np.maximum(X, Y)),
    ("minimum", (X, Y), np.minimum(X, Y)),
    ("not_equal", (IDS, 1), IDS != 1),
    ("ones_like", (X,), np.ones_like(X)),
    ("reshape", (X, (-1, 4)), X.reshape(-1, 4)),
    ("sigmoid", (X,), 1 / (1 + np.exp(-X))),
    ("softmax", (X,), softmax(X)),
    ("softmax", (X, 1), softmax(X, axis=1)),
    ("sqrt", (POSITIVE,), np.sqrt(POSITIVE)),
    ("square", (X,), X**2),
    ("squeeze", (X[:, :1], 1), X[:, 0]),
    ("stop_gradient", (X,), X),
    ("sum", (X,), X.sum()),
    ("sum", (X, (0, 2), True), X.sum(axis=(0, 2), keepdims=True)),
    ("take", (Y, IDS, 1), Y[:, IDS]),
    ("transpose", (X, (0, 2, 1)), X.transpose(0, 2, 1)),
    ("where", (X > 0, X, Y), np.where(X > 0, X, Y)),
    ("zeros", ((2, 3),), np.zeros((2, 3), "float32")),
    ("zeros", ((2, 3), "int32"), np.zeros((2, 3), "int32")),
    ("zeros_like", (X, "int32"), np.zeros_like(X, "int32")),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), CASES, ids=[case[0] for case in CASES])
def test_numbers(name, arguments, expected):
    found = getattr(keras_2_ops, name)(*arguments)
    assert found.shape == expected.shape
    # Numbers up to 10, in float32.
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=2e-6)
    if RUNTIME == "tensorflow":
        same = getattr(keras.ops, name)(*arguments)
        np.testing.assert_allclose(found, same, atol=2e-6, rtol=2e-6)
        assert found.dtype == same.dtype


def test_arrays_and_shapes():
    assert type(keras_2_ops.convert_to_numpy(tf.ones((2,)))) is np.ndarray
    assert keras_2_ops.shape(tf.ones((2, 3))) == (2, 3)

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def flattened(features):
        rows, width = keras_2_ops.shape(features)
        assert width == 3
        return keras_2_ops.reshape(features, (rows * width,))

    assert flattened(tf.ones((4, 3))).shape == (12,)


@pytest.mark.parametrize("reverse", [False, True])
def test_scans(reverse):
    """Whose output is the carry, here the sum so far and the place reached."""

    def step(carry, x):
        total, count = carry
        carry = total + x[0] * x[1], count + 1
        return carry, carry

    inits = np.zeros((3, 4), "float32"), np.int32(0)
    (last, count), (totals, counts) = keras_2_ops.scan(step, inits, (X, Y), reverse=reverse)
    order = slice(None, None, -1 if reverse else 1)
    np.testing.assert_allclose(totals, np.cumsum((X * Y)[order], axis=0)[order], atol=2e-6)
    np.testing.assert_allclose(last, (X * Y).sum(axis=0), atol=2e-6)
    assert (int(count), np.asarray(counts).tolist()) == (2, [1, 2][order])
    if RUNTIME == "tensorflow":
        (same, _), (all_same, _) = keras.ops.scan(step, inits, (X, Y), reverse=reverse)
        np.testing.assert_allclose(last, same)
        np.testing.assert_allclose(totals, all_same)


def test_every_operation_is_tested():
    names = {name for name in vars(keras_2_ops) if not name.startswith("_") and name != "tf"}
    tested = {name for name, _, _ in CASES} | {"convert_to_numpy", "scan", "shape"}
    assert names == tested


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="Keras 3's signatures")
def test_own_functions_name_their_arguments_as_keras_3_does():
    for name, function in vars(keras_2_ops).items():
        if inspect.isfunction(function) and function.__module__ == keras_2_ops.__name__:
            own = inspect.signature(function).parameters
            others = inspect.signature(getattr(keras.ops, name)).parameters
            assert [each for each in others if each in own] == list(own), name
