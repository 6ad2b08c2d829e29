"""The plain functions against NumPy, and what an engine has in their place against the same.

B texts, T positions that attend to S positions, H heads, D features of a head.
"""

import math

import numpy as np
import pytest
from numpy_functions import softmax
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, dtype_name, gradients, to_numpy

from keras_bert import backend
from keras_bert.backend import layers, models, ops, plain

WAYS = {"plain": plain, "engine": backend}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)

RANDOM = np.random.RandomState(0)
B, T, S, H, D = 3, 21, 17, 4, 8
QUERY, KEY, VALUE = (RANDOM.normal(size=(B, size, H, D)) for size in (T, S, S))
LENGTHS = np.array([S, 5, 1])
PADDING = -10000.0 * (np.arange(S) >= LENGTHS[:, None])[:, None, None, :]
LATER = -10000.0 * (np.arange(S) > np.arange(T)[:, None])[None, None]
BIASES = {"none": None, "padding": PADDING, "history": LATER, "both": PADDING + LATER}


@pytest.fixture
def random():
    return np.random.RandomState(0)


def tensor(array, dtype="float32"):
    return ops.cast(ops.convert_to_tensor(array), dtype)


@pytest.mark.parametrize("shape", [(6, 5), (2, 3, 5), (2, 3, 1, 5)])
@pytest.mark.parametrize(
    ("dtype", "share"),
    [("float64", 1e-12), ("float32", 1e-6), ("bfloat16", 8e-3), ("float16", 1e-3)],
)
def test_features_times_a_matrix(random, shape, dtype, share):
    """Against products of the rounded numbers, so that one rounding is all that remains."""
    if dtype == "float64" and RUNTIME == "jax":
        pytest.skip("JAX has no float64 unless asked")
    features, matrix = (tensor(random.normal(size=each), dtype) for each in (shape, (5, 7)))
    product = backend.contract(features, matrix)
    assert dtype_name(product) == dtype
    features, matrix = (to_numpy(each).astype("float64") for each in (features, matrix))
    expected = features @ matrix
    assert np.abs(to_numpy(product) - expected).max() <= share * np.abs(expected).max()


def expected_probabilities(query, key, bias):
    scores = np.einsum("bthd,bshd->bhts", query, key) / np.sqrt(query.shape[-1])
    return softmax(scores if bias is None else scores + bias)


@each_way
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_attend(way, bias, dtype):
    query, key, value = (tensor(each, dtype) for each in (QUERY, KEY, VALUE))
    rounded = [to_numpy(ops.cast(each, "float32")).astype("float64") for each in (query, key)]
    expected = np.einsum("bhts,bshd->bthd", expected_probabilities(*rounded, BIASES[bias]), VALUE)
    given = None if bias == "none" else tensor(BIASES[bias], dtype)
    attended = way.attend(query, key, value, given)
    assert dtype_name(attended) == dtype
    # In bfloat16, of values up to 4, shares and sums have errors of 2⁻⁹ of them each.
    atol = 1e-5 if dtype == "float32" else 0.03
    np.testing.assert_allclose(to_numpy(ops.cast(attended, "float32")), expected, atol=atol)


@each_way
def test_attend_to_nothing_but_padding(way):
    """A row of only padding attends as if there were none, to the digits that −10000 leaves."""
    everything = np.full((B, 1, 1, S), -10000.0)
    attended = way.attend(*map(tensor, (QUERY, KEY, VALUE, everything)))
    expected = np.einsum("bhts,bshd->bthd", expected_probabilities(QUERY, KEY, None), VALUE)
    np.testing.assert_allclose(to_numpy(attended), expected, atol=2e-3)


@each_way
def test_attend_to_one_position(way):
    attended = way.attend(tensor(QUERY), tensor(KEY[:, :1]), tensor(VALUE[:, :1]), None)
    expected = np.broadcast_to(VALUE[:, :1], QUERY.shape)
    np.testing.assert_allclose(to_numpy(attended), expected, atol=1e-6)


@pytest.mark.parametrize("bias", BIASES)
def test_attention_probabilities(bias):
    given = None if bias == "none" else tensor(BIASES[bias])
    shares = to_numpy(backend.attention_probabilities(tensor(QUERY), tensor(KEY), given))
    np.testing.assert_allclose(shares, expected_probabilities(QUERY, KEY, BIASES[bias]), atol=1e-6)
    in_16_bits = tensor(QUERY, "bfloat16"), tensor(KEY, "bfloat16")
    assert dtype_name(backend.attention_probabilities(*in_16_bits, given)) == "float32"


class Weighted(layers.Layer):
    """A function of a weight and of the inputs."""

    def __init__(self, function, weight):
        super().__init__()
        self.function, self.first_value = function, weight

    def build(self, input_shape):
        self.weight = self.add_weight(shape=self.first_value.shape, name="weight")
        self.weight.assign(self.first_value)
        self.built = True

    def call(self, inputs):
        return self.function(self.weight, inputs)


@each_way
@pytest.mark.parametrize("shape", [(40,), (4, 10), (2, 4, 5)])
def test_lookup(way, random, shape):
    """Frequent rows get the sum of their occurrences' gradients, rows not read get none."""
    table = random.normal(size=(30, 6)).astype("float32")
    ids = np.minimum(random.zipf(1.5, size=shape), 29).astype("int32")
    assert (ids == 1).sum() > 5
    layer = Weighted(way.lookup, table)
    fed = ops.convert_to_tensor(ids)
    np.testing.assert_array_equal(to_numpy(layer(fed)), table[ids])
    factors = random.normal(size=(*shape, 6)).astype("float32")
    (found,) = gradients(layer, fed, [factors])
    expected = np.zeros_like(table)
    np.add.at(expected, ids, factors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


X = np.concatenate([np.linspace(-9, 9, 1801), [-40.0, -1e-3, 0.0, 1e-3, 40.0]])
ERF_FORM = np.array([0.5 * x * math.erfc(-x / 2**0.5) for x in X])


@each_way
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_gelu_erf(way, dtype):
    if dtype == "float64" and RUNTIME == "jax":
        pytest.skip("JAX has float64 on request only")
    output = way.gelu_erf(tensor(X, dtype))
    assert dtype_name(output) == dtype
    # A few roundings of x, and of a factor up to 1 by which it is multiplied.
    unit = {"float32": 2.0**-23, "float64": 2.0**-52, "bfloat16": 2.0**-7, "float16": 2.0**-10}
    assert (np.abs(to_numpy(output) - ERF_FORM) <= 4 * unit[dtype] * np.abs(X)).all()


@each_way
@pytest.mark.parametrize("shape", [(12, 5), (-1, 5), (3, -1), (2, 3, 2, 5)])
def test_reshape(way, shape):
    array = np.arange(60, dtype="float32").reshape(3, 4, 5)
    np.testing.assert_array_equal(to_numpy(way.reshape(tensor(array), shape)), array.reshape(shape))


@each_way
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "tanh"])
def test_project(way, random, use_bias, activation):
    dense = layers.Dense(7, activation, use_bias, bias_initializer="ones")
    rows = random.normal(size=(B * T, 12)).astype("float32")
    dense.build((None, 12))
    kernel, *bias = dense.get_weights()
    expected = rows @ kernel + (bias[0] if bias else 0.0)
    output = to_numpy(way.project(dense, ops.convert_to_tensor(rows)))
    np.testing.assert_allclose(output, np.tanh(expected) if activation else expected, atol=1e-5)


@each_way
def test_positions(way, random):
    """What is picked out comes back to its position; where all are computed nothing moves."""
    features = random.normal(size=(2, 10, 3)).astype("float32")
    mask = np.arange(10) < np.array([[10], [4]])
    positions = way.needed_positions(ops.convert_to_tensor(features), tensor(mask, "bool"), 1)
    rows = way.pick_rows(ops.convert_to_tensor(features.reshape(-1, 3)), positions)
    back = to_numpy(way.spread_rows(rows, positions, features)).reshape(features.shape)
    np.testing.assert_array_equal(back[mask], features[mask])
    assert positions is None or not back[~mask].any()


def test_what_keras_does_itself_is_left_to_it():
    features = tensor(np.ones((2, 3)))
    assert plain.normalize(features, None, None, 1e-12, training=False) is None
    assert plain.drop(features, 0.5) is None
    assert not plain.has_replicas()
    assert plain.replica_mean(3.0) == 3.0


def test_memory_of_its_own(random, tmp_path):
    """Weights stay when the file that they are mapped from is overwritten."""
    path = tmp_path / "weights"
    random.normal(size=4096).astype("float32").tofile(path)
    mapped = np.memmap(path, "float32", "r+")
    expected = mapped.copy()
    layer = Weighted(lambda weight, inputs: weight, np.zeros(4096, "float32"))
    layer.build(None)
    layer.set_weights([backend.own_memory(mapped)])
    mapped[:] = 0.0
    mapped.flush()
    np.testing.assert_array_equal(layer.get_weights()[0], expected)


@each_way
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", None])
def test_initial_zeros(way, dtype):
    """They serve as the first values of a weight, which can be overwritten."""
    zeros = way.initial_zeros((3, 5), dtype)
    assert dtype_name(zeros) == (dtype or "float32")
    np.testing.assert_array_equal(to_numpy(zeros), np.zeros((3, 5)))
    layer = layers.Dense(5, kernel_initializer=lambda shape, dtype: way.initial_zeros(shape, dtype))
    layer.build((None, 3))
    assert not layer.get_weights()[0].any()
    layer.set_weights([np.ones((3, 5)), np.ones(5)])
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones((3, 5)))


def test_calls_of_layers_are_keras_own():
    class Doubled(plain.LayerCall, layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    np.testing.assert_array_equal(to_numpy(Doubled()(tensor(QUERY))), to_numpy(tensor(2 * QUERY)))


def test_the_plain_predictor_is_that_of_keras():
    inputs = layers.Input(shape=(3,))
    model = models.Model(inputs, layers.Dense(2)(inputs))
    predictor = plain.predictor(model, of_known_layers=True)
    assert (predictor.call, predictor.threads()) == (model.predict_on_batch, 1)
    first, *second = predictor.fetch([[1.0, 2.0], (np.ones(3), np.zeros(2))])
    assert type(first) is list
    np.testing.assert_array_equal(second[0][0], np.ones(3))
    if KERAS_3 and RUNTIME != "jax":  # which has one of its own
        assert backend.predictor(model, of_known_layers=False).call == model.predict_on_batch
    with pytest.raises(NotImplementedError):
        plain.FusedUpdate()._fused_update(None, None, 0, 0.1)


def test_only_jax_compiles_every_shape():
    assert (RUNTIME == "jax") == backend.COMPILES_EVERY_SHAPE


def test_every_engine_says_where_it_computes():
    """In these tests on a CPU or, with one, on an accelerator."""
    if ON_TENSORFLOW:
        import tensorflow as tf

        expected = bool(tf.config.list_physical_devices("GPU"))
    elif RUNTIME == "jax":
        import jax

        expected = jax.devices()[0].platform != "cpu"
    else:
        import torch

        expected = torch.cuda.is_available()
    assert backend.on_accelerator() == expected


@each_way
@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no scan")
@pytest.mark.parametrize("reverse", [False, True])
def test_carries(way, random, reverse):
    """Here of a sum of products and of the number of elements."""

    def step(carry, x):
        return carry[0] + x[0] * x[1], carry[1] + 1

    start = tensor(np.zeros((5, 2))), tensor(0, "int32")
    first, second = random.normal(size=(2, 4, 5, 2))
    sums, counts = way.carries(step, start, (tensor(first), tensor(second)), reverse=reverse)
    order = slice(None, None, -1 if reverse else 1)
    expected = np.cumsum((first * second)[order], axis=0)[order]
    np.testing.assert_allclose(to_numpy(sums), expected, atol=1e-5)
    assert to_numpy(counts).tolist() == [1, 2, 3, 4][order]
