"""JAX's ways against the plain ones."""

import gc
import os
import weakref

import numpy as np
import pytest
from devices import on_a_cpu
from runtimes import RUNTIME, to_numpy

from keras_bert import backend
from keras_bert.backend import keras, layers, models, ops, plain

if RUNTIME == "jax":
    import jax

pytestmark = pytest.mark.skipif(RUNTIME != "jax", reason="JAX's ways")

LONG = 400  # positions: more than are computed with all heads at once
B, H, D = 2, 3, 4


def draw(length, dtype, seed):
    array = np.random.RandomState(seed).normal(size=(B, length, H, D)).astype("float32")
    return ops.cast(array, dtype)


def padding(length):
    return -10000.0 * (np.arange(length) >= np.array([[length], [length // 3]]))[:, None, None]


def history(length):
    return -10000.0 * ~np.tri(length, dtype=bool)[None, None]


@pytest.fixture
def mapped(monkeypatch):
    """How often heads are gone through one after the other."""
    calls, original = [], ops.map
    monkeypatch.setattr(ops, "map", lambda *args: calls.append(1) or original(*args))
    return calls


@on_a_cpu
@pytest.mark.parametrize(
    ("bias", "key_length", "dtype"),
    [
        (None, LONG, "float32"),
        (padding(LONG - 50), LONG - 50, "float32"),  # keys of their own
        (history(LONG), LONG, "float32"),
        (padding(LONG), LONG, "bfloat16"),
    ],
    ids=["no bias", "padding", "history", "bfloat16"],
)
def test_long_texts_are_computed_head_by_head(bias, key_length, dtype, mapped):
    heads = [draw(LONG if seed == 0 else key_length, dtype, seed) for seed in range(3)]
    bias = None if bias is None else ops.convert_to_tensor(bias, dtype)

    def numbers(attend):
        """Features, and the gradients of the sum of their squares."""

        def total(*heads):
            features = ops.cast(attend(*heads, bias), "float32")
            return ops.sum(features**2), features

        gradients, features = jax.jit(jax.grad(total, argnums=(0, 1, 2), has_aux=True))(*heads)
        return [to_numpy(each) for each in (features, *gradients)]

    found = numbers(backend.attend)
    assert len(mapped) == 1
    for array, expected in zip(found, numbers(plain.attend), strict=True):
        rounding = 1e-5 if dtype == "float32" else 0.03
        np.testing.assert_allclose(array, expected, rtol=0, atol=rounding * np.abs(expected).max())


@on_a_cpu
def test_short_texts_are_computed_at_once(mapped):
    query, key, value = (draw(20, "float32", seed) for seed in range(3))
    found = backend.attend(query, key, value, padding(20))
    np.testing.assert_array_equal(found, plain.attend(query, key, value, padding(20)))
    assert not mapped


def test_attention_is_one_operation_on_accelerators(monkeypatch):
    """But not on JAX's CPU, where other products are faster."""
    query, key, value = (draw(20, "float32", seed) for seed in range(3))
    bias = ops.convert_to_tensor(padding(20), "float32")
    expected = plain.attend(query, key, value, bias)
    monkeypatch.setattr("keras_bert.backend.jax.on_accelerator", lambda: True)
    calls, fused = [], ops.dot_product_attention
    monkeypatch.setattr(ops, "dot_product_attention", lambda *args: calls.append(1) or fused(*args))
    np.testing.assert_allclose(backend.attend(query, key, value, bias), expected, atol=1e-6)
    assert len(calls) == 1


def test_zeros_that_are_overwritten_take_no_memory_and_no_compilation():
    zeros = backend.initial_zeros((3000, 2000), "float32")
    assert type(zeros) is np.ndarray
    assert zeros.strides == (0, 0)
    assert (zeros.shape, zeros.dtype) == ((3000, 2000), "float32")


def test_memory_is_copied():
    """JAX would go on to use that of the array."""
    array = np.zeros(4096, "float32")
    tensor = jax.numpy.asarray(backend.own_memory(array))
    array += 1
    assert not tensor.any()


def test_threads_are_what_xla_reads(monkeypatch):
    monkeypatch.setenv("NPROC", "7")
    backend.limit_threads(3)
    assert os.environ["NPROC"] == "3"


# Predictions


@pytest.mark.sampled(2)
@pytest.mark.every_runtime
def test_predictions_of_an_encoder(usual_model, check_predictor):
    check_predictor(usual_model, asks_keras=False)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
@pytest.mark.sampled(2)
@pytest.mark.every_runtime
def test_predictions_where_layers_are_not_called_as_usual(unusual_model, check_predictor):
    check_predictor(unusual_model, asks_keras=False)


@pytest.mark.sampled(2)
@pytest.mark.every_runtime
def test_predictions_of_other_models(foreign_model, check_predictor):
    check_predictor(foreign_model, asks_keras=False)


def test_predictions_leave_the_weights_where_they_are(encoder, arrays, predictor):
    before = [each.value for each in encoder.weights]
    predictor(encoder).call(arrays)
    assert all(each.value is old for each, old in zip(encoder.weights, before, strict=True))


class Counting(layers.Layer):
    """Adds to features how often it has been called."""

    supports_masking = True

    def build(self, input_shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign(self.calls + 1)
        return inputs + self.calls


def test_what_a_prediction_changes_is_kept(encoder, arrays, predictor):
    model = models.Model(encoder.inputs, Counting()(encoder.output))
    predict = predictor(model).call
    first, second = predict(arrays), predict(arrays)
    np.testing.assert_allclose(second, first + 1, atol=1e-6)
    assert int(model.layers[-1].calls.value) == 2


@pytest.mark.parametrize("name", ["call", "predict_on_batch"])
def test_a_patched_model(name, encoder, arrays, predictor):
    original = getattr(encoder, name)
    setattr(encoder, name, lambda *args, **kwargs: 2 * original(*args, **kwargs))
    expected = encoder.predict_on_batch(arrays)
    np.testing.assert_array_equal(predictor(encoder).call(arrays), expected)


def test_models_that_are_to_be_run_otherwise_are_left_to_keras(encoder):
    class OfAUser(keras.Model):
        def predict_on_batch(self, x):
            return 0

    encoder.compile(run_eagerly=True)
    for model in (encoder, OfAUser()):
        assert backend.predictor(model, of_known_layers=True).call == model.predict_on_batch


def test_the_function_of_a_model_goes_with_it(arrays, predictor):
    inputs = layers.Input((5,), dtype="int32"), layers.Input((5,), dtype="int32")
    model = models.Model(inputs, inputs[0] + inputs[1])
    predictor(model).call(arrays)
    gone = weakref.ref(model)
    del model, inputs
    gc.collect()
    assert gone() is None
