"""TensorFlow's fused kernel against the steps of `AdamWarmup.update_step` without it."""

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW

from keras_bert.backend import keras, plain
from keras_bert.optimizers import AdamWarmup

if ON_TENSORFLOW:
    import tensorflow as tf

pytestmark = pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorFlow's kernel")

SHAPES = [(5, 7), (7,), ()]
NAMES = ["kernel", "bias", "kernel"]


class StepByStep(AdamWarmup):
    """The optimizer with the plain update."""

    _is_fused = plain.FusedUpdate._is_fused
    _fused_update = plain.FusedUpdate._fused_update


def variable(value, dtype, name):
    return (keras.Variable if KERAS_3 else tf.Variable)(value, dtype=dtype, name=name)


def run(optimizer, dtype, compiled=False, steps=12):
    """Variables and moments after some steps with gradients of very different sizes."""
    random = np.random.RandomState(0)
    trained = [
        variable(random.normal(size=shape), dtype, name)
        for shape, name in zip(SHAPES, NAMES, strict=True)
    ]
    optimizer.build(trained)

    def apply(*gradients):
        optimizer.apply_gradients(zip(gradients, trained, strict=True))

    step = tf.function(apply, jit_compile=compiled) if compiled is not None else apply
    for _ in range(steps):
        drawn = [random.normal(size=shape) * 10.0 ** random.uniform(-4, 1) for shape in SHAPES]
        step(*(tf.constant(each, dtype) for each in drawn))
    return [each.numpy() for each in [*trained, *optimizer.variables]]


OPTIONS = {
    "plain": {},
    "weight decay": {"weight_decay": 0.1},
    "decay of some": {"weight_decay": 0.1, "weight_decay_pattern": ["kernel"]},
    "amsgrad": {"amsgrad": True, "weight_decay": 0.1},
    "factors": {"learning_rate_factors": {"kernel": 0.5}},
    "other numbers": {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-3, "weight_decay": 0.3},
}


@pytest.mark.sampled(4)
@pytest.mark.every_runtime
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_kernel_does_what_the_formulas_say(options, dtype):
    found, expected = (
        run(kind(8, 3, 1e-4, 0.05, **OPTIONS[options]), dtype, compiled=None)
        for kind in (AdamWarmup, StepByStep)
    )
    # Twelve steps, each rounded, of weights up to 3. The kernel's β₂ is a float32, of which 1 − β₂
    # is off by 1.3e-5 of its size; so are its moments, but not the weights.
    rounding, of_moments = {"float32": (2e-6, 2e-5), "float64": (1e-12, 1e-12)}[dtype]
    for index, (array, wanted) in enumerate(zip(found, expected, strict=True)):
        rtol = rounding if index < len(SHAPES) else of_moments
        np.testing.assert_allclose(array, wanted, rtol=rtol, atol=rounding)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.every_runtime
def test_in_graphs_and_under_xla(compiled):
    found, expected = (
        run(AdamWarmup(8, 3, 1e-4, 0.05, weight_decay=0.1), "float32", each)
        for each in (compiled, None)
    )
    for array, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=2e-6, atol=2e-6)


def test_what_the_kernel_does_not_know():
    assert AdamWarmup(8, 3)._is_fused("float32")
    assert AdamWarmup(8, 3)._is_fused("float64")
    assert not AdamWarmup(8, 3)._is_fused("bfloat16")
    assert not AdamWarmup(8, 3, amsgrad=True)._is_fused("float32")


def draw():
    random = np.random.RandomState(4)
    return [(random.randint(6, size=9), random.normal(size=(9, 2))) for _ in range(4)]


@pytest.mark.parametrize("clipping", ["clipnorm", "clipvalue", "global_clipnorm", None])
def test_gradients_listed_by_rows_equal_dense_ones(clipping):
    arguments = {clipping: 0.5} if clipping else {}
    by_rows, dense = (AdamWarmup(10, 2, 0.0, 0.1, weight_decay=0.1, **arguments) for _ in range(2))
    first = np.random.RandomState(0).normal(size=(6, 2))
    weights = [variable(first, "float32", "kernel") for _ in range(2)]
    for ids, values in draw():
        gradient = np.zeros((6, 2), "float32")
        np.add.at(gradient, ids, values)
        values = tf.constant(values, "float32")
        rows = tf.IndexedSlices(values, tf.constant(ids), tf.constant([6, 2]))
        by_rows.apply_gradients([(rows, weights[0])])
        dense.apply_gradients([(tf.constant(gradient), weights[1])])
    np.testing.assert_allclose(weights[0].numpy(), weights[1].numpy(), atol=1e-6)


def test_moments_are_made_once_where_a_function_is_traced_twice():
    optimizer, weight = AdamWarmup(8, 0, 0.1, 0.1), variable([1.0], "float32", "kernel")

    @tf.function
    def step(gradient):
        optimizer.apply_gradients([(gradient, weight)])

    for gradient in ([1.0], [1.0]):
        step(tf.constant(gradient))
    count = len(optimizer.variables)
    step(gradient := tf.Variable([1.0]))  # another kind of argument: traced anew
    assert gradient.shape == (1,)
    assert len(optimizer.variables) == count
    # Three steps of 0.1, as the gradient stays what it is.
    np.testing.assert_allclose(weight.numpy(), [0.7], rtol=1e-5)
