"""TensorFlow's own operations against those of Keras and of `plain`."""

import numpy as np
import pytest
from runtimes import ON_TENSORFLOW, RUNTIME

from keras_bert import backend
from keras_bert.backend import layers, models, on_accelerator, optimizers, plain

if ON_TENSORFLOW:
    import tensorflow as tf

pytestmark = pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorFlow's operations")

UNITS = 64


def draw(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape).astype("float32")


GAMMA, BETA = draw(UNITS, seed=1), draw(UNITS, seed=2)


def in_graph(shape, dtype="float32", training=False):
    """`normalize` as a function of features whose shape is known as far as it is given."""
    found = []

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype)])
    def function(features):
        normalized = backend.normalize(
            features, tf.constant(GAMMA), tf.constant(BETA), 1e-12, training
        )
        found.append(normalized is not None)
        return features if normalized is None else normalized

    function.get_concrete_function()
    return function, any(found)


def exact(features):
    features = features.astype("float64")
    features = features - features.mean(axis=-1, keepdims=True)
    variance = (features**2).mean(axis=-1, keepdims=True)
    return features / np.sqrt(variance + 1e-12) * GAMMA + BETA


@pytest.mark.skipif(
    ON_TENSORFLOW and on_accelerator(), reason="accelerators have an operation of their own"
)
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize("shape", [(4, 30, UNITS), (1, 3, UNITS), (5, UNITS), (0, 2, UNITS)])
def test_normalization_is_that_of_keras(shape, offset):
    function, is_own = in_graph((None,) * (len(shape) - 1) + (UNITS,))
    assert is_own
    features = offset + draw(*shape)
    found = function(tf.constant(features)).numpy()
    layer = layers.LayerNormalization(epsilon=1e-12)
    layer.build((*(None,) * (len(shape) - 1), UNITS))
    layer.set_weights([GAMMA, BETA])
    assert found.shape == shape
    # Features of 30 have steps of 2e-6 themselves.
    close = {"rtol": 0, "atol": 4e-6 + 1e-6 * offset}
    np.testing.assert_allclose(found, exact(features), **close)
    np.testing.assert_allclose(found, layer(features), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "dtype", "training"),
    [
        ((None, None, UNITS), "float32", True),
        ((None, None, UNITS), "float64", False),
        ((2, 3, UNITS), "float32", False),
        ((None, None, 2, UNITS), "float32", False),
    ],
    ids=["training", "float64", "a known shape", "rank 4"],
)
def test_what_keras_normalizes(shape, dtype, training):
    assert not in_graph(shape, dtype, training)[1]
    assert backend.normalize(tf.ones((2, 3, UNITS)), GAMMA, BETA, 1e-12, False) is None  # eagerly


def test_the_gradient_of_a_lookup_is_dense():
    table, ids = tf.Variable(draw(5, 3)), tf.constant([[1, 1, 4]])
    factors = tf.constant(draw(1, 3, 3, seed=3))

    def gradient_of(lookup):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(lookup(table, ids) * factors)
        return tape.gradient(loss, table)

    found, expected = gradient_of(backend.lookup), gradient_of(plain.lookup)
    assert isinstance(found, tf.Tensor)
    assert isinstance(expected, tf.IndexedSlices)
    np.testing.assert_allclose(found, tf.convert_to_tensor(expected))


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="an error of Keras 3 on TensorFlow")
def test_why_gradients_are_summed_here():
    """Should this fail, Keras' own embedding has become as good."""
    times = 1024
    ids = np.full((4, times // 4), 3, "int32")
    ids[0, 0] = 5
    inputs = layers.Input(shape=(None,), dtype="int32")
    embedding = layers.Embedding(3000, 2)
    model = models.Model(inputs, layers.GlobalAveragePooling1D()(embedding(inputs), mask=None))
    before = embedding.get_weights()[0]
    model.compile(optimizers.Adam(0.1), loss="mean_absolute_error")
    model.train_on_batch(ids, np.full((4, 2), 100.0, "float32"))
    moved = embedding.get_weights()[0] - before
    np.testing.assert_allclose(moved[5], 0.1, rtol=0.01)
    np.testing.assert_allclose(moved[3], 0.1 * np.sqrt(times - 1), rtol=0.01)


@pytest.mark.parametrize("compiled", [False, True])
def test_lookup_in_graphs(compiled):
    table, ids = draw(50, 3), np.random.RandomState(1).randint(50, size=(4, 7))
    function = tf.function(backend.lookup, jit_compile=compiled)
    np.testing.assert_array_equal(function(tf.constant(table), tf.constant(ids)), table[ids])


def test_attention_is_the_plain_one():
    """Keras 3's own operation takes longer on a CPU, and Keras 2 has none."""
    assert backend.attend is plain.attend
