"""Layers of which nothing is read at masked positions, but at the first ones.

On PyTorch they leave the others out; elsewhere they compute all, with the same numbers.
"""

import numpy as np
import pytest
from runtimes import KERAS_3, RUNTIME, gradients, to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import FeedForward, MultiHeadAttention

pytestmark = [
    pytest.mark.skipif(not KERAS_3, reason="Keras 2 computes all positions"),
    pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded"),
]

FEATURES = np.random.RandomState(3).normal(size=(5, 8, 6)).astype("float32")
# Padding behind, none, in between, in front, and nothing else.
MASK = np.array(
    [
        [1, 1, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 1, 1],
        [1, 0, 0, 1, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1, 1],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    bool,
)


def needed(count):
    kept = MASK | ~MASK.any(axis=1, keepdims=True)
    kept[:, :count] = True
    return kept


KINDS = {
    "attention": lambda **options: MultiHeadAttention(2, None, **options),
    "feed-forward": lambda **options: FeedForward(10, "gelu", **options),
}


def pair(kind, needed_len, arguments):
    """A layer that computes all positions, and one with the same weights that need not."""
    pair = [KINDS[kind]() for _ in range(2)]
    pair[1].needed_len = needed_len
    weights = None
    for layer in pair:
        layer(*arguments)
        if weights is None:
            random = np.random.RandomState(4)
            weights = [random.normal(size=each.shape) for each in layer.get_weights()]
        layer.set_weights(weights)
    return pair


@pytest.mark.parametrize("needed_len", [1, 3, 20])
@pytest.mark.parametrize("kind", KINDS)
def test_needed_positions_are_computed(kind, needed_len):
    features, mask = ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(MASK)
    whole, part = pair(kind, needed_len, [features])
    expected, output = (to_numpy(layer(features, mask=mask)) for layer in (whole, part))
    kept = needed(needed_len)
    np.testing.assert_allclose(output[kept], expected[kept], atol=1e-5)
    leaves_out = RUNTIME == "torch" and kept.mean() < 0.9
    others = 0.0 if leaves_out else expected[~kept]
    np.testing.assert_allclose(output[~kept], others, atol=1e-5)
    without = [to_numpy(layer(features)) for layer in (whole, part)]  # no mask
    np.testing.assert_allclose(*without, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_numbers(kind, dtype):
    features, mask = ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(MASK.astype(dtype))
    whole, part = pair(kind, 1, [features])
    expected, output = (to_numpy(layer(features, mask=mask)) for layer in (whole, part))
    np.testing.assert_allclose(output[needed(1)], expected[needed(1)], atol=1e-5)


def test_queries_of_their_own():
    """As in the last layer of a model with `output_len`."""
    features, mask = ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(MASK)
    first = features[:, :2]
    whole, part = pair("attention", 1, [[first, features, features]])
    outputs = [
        to_numpy(layer([first, features, features], mask=[mask[:, :2], mask, mask]))
        for layer in (whole, part)
    ]
    np.testing.assert_allclose(*outputs, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_needed_positions(kind):
    masked = layers.Masking()
    factors = np.random.RandomState(5).normal(size=FEATURES.shape) * needed(1)[:, :, None]
    features = ops.convert_to_tensor(FEATURES * MASK[:, :, None])
    found = []
    for layer in pair(kind, 1, [features]):
        inputs = layers.Input(shape=(None, 6))
        model = models.Model(inputs, layer(masked(inputs)))
        found.append(gradients(model, features, [factors.astype("float32")]))
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-4)


def test_history_is_computed_in_full():
    """A masked key may be all that precedes a position."""
    features, mask = ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(MASK)
    layer = MultiHeadAttention(2, None, history_only=True)
    expected = to_numpy(layer(features, mask=mask))
    layer.needed_len = 1
    np.testing.assert_allclose(to_numpy(layer(features, mask=mask)), expected, atol=1e-6)


def test_features_of_higher_rank():
    features = np.random.RandomState(6).normal(size=(2, 3, 4, 5)).astype("float32")
    layer = FeedForward(6, "relu")
    expected = to_numpy(layer(ops.convert_to_tensor(features)))
    layer.needed_len = 1
    mask = ops.convert_to_tensor(np.zeros((2, 3), bool) | np.array([[True], [False]]))
    np.testing.assert_array_equal(to_numpy(layer(ops.convert_to_tensor(features), mask)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_files_do_not_have_it_but_those_of_1_0_0_are_read(kind):
    layer = KINDS[kind]()
    layer.needed_len = 2
    config = layer.get_config()
    assert "needed_len" not in config
    assert type(layer).from_config({**config, "needed_len": 2}).needed_len is None
