"""The encoder's layers under Keras 2 against the small packages' own computation."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert import activations, gelu, get_custom_objects
from keras_bert.backend import activations as keras_activations
from keras_bert.backend import layers, models, utils
from keras_bert.layers import FeedForward, LayerNormalization, MultiHeadAttention, PositionEmbedding

if not KERAS_3:
    import keras_layer_normalization
    import keras_multi_head
    import keras_pos_embd
    import keras_position_wise_feed_forward
    import keras_transformer
    import tensorflow as tf

pytestmark = [
    pytest.mark.skipif(KERAS_3, reason="the small packages' layers"),
    # It says so whenever a kernel_initializer is shared, as its default is.
    pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded"),
]

FEATURES = np.random.RandomState(0).normal(size=(3, 6, 8)).astype("float32")
PADDED = FEATURES.copy()
PADDED[1, 4:] = PADDED[2, 1:] = 0.0
SHORT = np.random.RandomState(0).normal(size=(2, 3, 6)).astype("float32")


# Attention


def attention_pair(*arguments, **options):
    """Models of the package's layer and of this one, with the same weights, on masked features."""
    found, random = [], np.random.RandomState(1)
    for layer_class in (keras_multi_head.MultiHeadAttention, MultiHeadAttention):
        inputs = layers.Input(shape=(None, 8))
        masked = layers.Masking()(inputs)
        found.append(models.Model(inputs, layer_class(*arguments, **options)(masked)))
    weights = [random.normal(0, 0.4, weight.shape) for weight in found[0].get_weights()]
    for model in found:
        model.set_weights(weights)
    return found


@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": False}, {"history_only": True}, {"activation": "tanh"}, {"activation": None}],
)
def test_attention(options):
    expected, model = attention_pair(2, **options)
    # Its masks are −10¹⁰, this project's Google's −10,000: both leave nothing of a masked position.
    features = model.predict(PADDED, verbose=0)
    np.testing.assert_allclose(features, expected.predict(PADDED, verbose=0), atol=1e-5)


def test_gelu_of_attention_is_the_tanh_form():
    expected, model = attention_pair(2, activations.gelu_tanh)
    model.layers[-1].activation = activations.get("gelu")
    features = model.predict(PADDED, verbose=0)
    np.testing.assert_allclose(features, expected.predict(PADDED, verbose=0), atol=1e-5)
    assert MultiHeadAttention(2, "gelu").activation is activations.gelu_tanh


def test_attention_is_the_packages_layer_with_its_weights():
    layer = MultiHeadAttention(2, name="attention")
    assert isinstance(layer, keras_multi_head.MultiHeadAttention)
    layer.build((None, None, 8))
    names = [weight.name.split("_")[-1] for weight in layer.weights]
    assert names == [f"{name}:0" for name in ("Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo")]


def test_kernels_have_different_first_values():
    for layer in (MultiHeadAttention(2), FeedForward(8)):
        layer.build((None, None, 8))
        kernels = [each.numpy() for each in layer.weights if len(each.shape) == 2]
        assert not any(np.allclose(kernels[0], each) for each in kernels[1:])


# Activations in files


@pytest.mark.parametrize("activation", ["gelu", gelu])
def test_a_script_with_the_small_packages_reads_gelu(tmp_path, activation):
    """It has their "gelu" among its custom objects, which is the tanh form."""
    inputs = layers.Input(shape=(None, 8))
    outputs = FeedForward(12, activation)(MultiHeadAttention(2, activation)(inputs))
    model = models.Model(inputs, layers.Dense(3, activation=gelu)(outputs))
    model.save(tmp_path / "model.h5")
    assert [layer.get_config()["activation"] for layer in model.layers[1:3]] == ["gelu"] * 2
    theirs = keras_transformer.get_custom_objects()
    again = models.load_model(tmp_path / "model.h5", custom_objects=theirs)
    np.testing.assert_allclose(again(FEATURES), model(FEATURES), atol=1e-5)
    assert type(again.layers[1]) is keras_multi_head.MultiHeadAttention


def test_gelu_of_keras_beside_that_of_these_layers_stays_its_own(tmp_path):
    inputs = layers.Input(shape=(None, 8))
    outputs = layers.Dense(3, activation="gelu")(FeedForward(12, "gelu")(inputs))
    model = models.Model(inputs, outputs)
    for name in ("model.h5", "model.keras"):
        model.save(tmp_path / name)
        again = models.load_model(tmp_path / name, custom_objects=get_custom_objects())
        found = [layer.activation for layer in again.layers[1:]]
        assert found == [activations.gelu_tanh, keras_activations.gelu]


def test_layers_of_the_small_packages_read_the_gelu_of_this_one(tmp_path):
    """As scripts name it that take their layers from there and `gelu` from here."""
    inputs = layers.Input(shape=(None, 8))
    outputs = keras_transformer.get_encoders(1, inputs, 2, 12, None, gelu)
    model = models.Model(inputs, outputs)
    model.save(tmp_path / "model.h5")
    theirs = keras_transformer.get_custom_objects()
    again = models.load_model(tmp_path / "model.h5", custom_objects=theirs)
    np.testing.assert_allclose(again(FEATURES), model(FEATURES), atol=1e-5)


# Feed-forward


def feed_forward_pair(*arguments, **options):
    """The package's layer and this one, with the same weights."""
    found, random = [], np.random.RandomState(1)
    for layer_class in (keras_position_wise_feed_forward.FeedForward, FeedForward):
        found.append(layer_class(*arguments, **options))
        found[-1].build((None, None, 8))
    weights = [random.normal(0, 0.4, weight.shape) for weight in found[0].get_weights()]
    for layer in found:
        layer.set_weights(weights)
    return found


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "tanh"}])
@pytest.mark.parametrize("shape", [(3, 6, 8), (3, 2, 3, 8)])
def test_feed_forward(options, shape):
    expected, layer = feed_forward_pair(20, **options)
    features = FEATURES.reshape(shape)
    np.testing.assert_allclose(layer(features), expected(features), atol=1e-5)


def test_gelu_of_feed_forward_is_the_tanh_form():
    expected, _ = feed_forward_pair(20, activations.gelu_tanh)
    layer = FeedForward(20, "gelu")
    layer.build((None, None, 8))
    layer.set_weights(expected.get_weights())
    np.testing.assert_allclose(layer(FEATURES), expected(FEATURES), atol=1e-5)


def test_dropout_of_feed_forward():
    """Which draws a number for every feature, in the same order."""
    expected, layer = feed_forward_pair(20, dropout_rate=0.5)
    outputs = []
    for each in (expected, layer):
        utils.set_random_seed(0)
        outputs.append(each(FEATURES, training=True).numpy())
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-5)
    assert (outputs[0] != expected(FEATURES, training=False).numpy()).any()


# Layer normalization


@pytest.mark.parametrize("length", [None, 6])
@pytest.mark.parametrize("options", [{}, {"epsilon": 0.1}, {"center": False}, {"scale": False}])
def test_normalization(options, length):
    random, outputs = np.random.RandomState(0), []
    features = (5 + 3 * random.normal(size=(3, 6, 32))).astype("float32")
    weights = None
    for layer_class in (keras_layer_normalization.LayerNormalization, LayerNormalization):
        inputs = layers.Input(shape=(length, 32))
        model = models.Model(inputs, layer_class(**options)(inputs))
        weights = weights or [random.normal(size=each.shape) for each in model.get_weights()]
        model.set_weights(weights)
        outputs.append(model.predict(features, verbose=0))
    np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-5)


def test_the_default_of_normalization_is_the_packages():
    assert isinstance(LayerNormalization(), keras_layer_normalization.LayerNormalization)
    assert LayerNormalization().epsilon == pytest.approx(1e-14)


# Position embedding


@pytest.mark.parametrize(
    ("mode", "inputs"),
    [("add", SHORT), ("concat", SHORT), ("expand", np.array([[-9, -1, 0], [1, 4, 9]]))],
)
def test_position_embedding(mode, inputs):
    outputs = []
    for layer_class in (keras_pos_embd.PositionEmbedding, PositionEmbedding):
        layer = layer_class(4, 6, mode=mode)
        layer.build(inputs.shape)
        (table,) = layer.get_weights()
        layer.set_weights([np.arange(table.size).reshape(table.shape)])
        outputs.append(layer(inputs).numpy())
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("mode", ["add", "concat"])
def test_lengths_that_are_known_when_it_is_called_only(mode):
    """Where a table of one row would serve all positions."""
    layer = PositionEmbedding(1, 6, mode=mode, name="positions")
    layer.build((None, None, 6))
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, None, 6))])
    assert run(SHORT[:, :1]).shape[1] == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"holds 1 positions\. Received"):
        run(SHORT)


def test_positions_of_any_size_are_clipped_when_they_are_given():
    layer = PositionEmbedding(1, 6)
    assert layer(np.arange(9)[None]).shape == (1, 9, 6)
