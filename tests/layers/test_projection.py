"""Dense sub-layers: their options, their LoRA and quantization in files, rows of features."""

import numpy as np
import pytest
from runtimes import KERAS_3, to_numpy

from keras_bert.backend import constraints, layers, models, ops, regularizers
from keras_bert.layers import FeedForward, MultiHeadAttention
from keras_bert.layers.projection import as_rows

keras_3 = pytest.mark.skipif(not KERAS_3, reason="layers of Keras 3")
KINDS = {
    "attention": lambda **options: MultiHeadAttention(2, **options),
    "feed-forward": lambda **options: FeedForward(6, **options),
}
FEATURES = np.random.RandomState(0).normal(size=(2, 5, 32)).astype("float32")


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_rows_of_features(shape):
    features = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    rows = to_numpy(as_rows(ops.convert_to_tensor(features)))
    np.testing.assert_array_equal(rows, features.reshape(-1, shape[-1]))


@keras_3
@pytest.mark.parametrize("kind", KINDS)
def test_options_reach_every_sub_layer_and_the_configuration(kind):
    layer = KINDS[kind](
        kernel_initializer="ones",
        bias_initializer="ones",
        kernel_regularizer="l2",
        bias_regularizer=regularizers.L1(0.5),
        kernel_constraint="non_neg",
        bias_constraint="unit_norm",
    )
    layer.build((None, None, 4))
    assert all((weight == 1).all() for weight in layer.get_weights())
    kernels = [weight for weight in layer.weights if weight.ndim == 2]
    biases = [weight for weight in layer.weights if weight.ndim == 1]
    assert {type(each.regularizer) for each in kernels} == {regularizers.L2}
    assert {float(each.regularizer.l1) for each in biases} == {0.5}
    assert {type(each.constraint) for each in kernels} == {constraints.NonNeg}
    assert {type(each.constraint) for each in biases} == {constraints.UnitNorm}
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config
    assert "lora" not in config


@keras_3
@pytest.mark.parametrize("kind", KINDS)
def test_without_biases(kind):
    layer = KINDS[kind](use_bias=False)
    layer.build((None, None, 4))
    assert {weight.ndim for weight in layer.weights} == {2}


@keras_3
@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_layer_that_is_built_later_stays_frozen(kind):
    layer = KINDS[kind](trainable=False)
    layer.build((None, None, 4))
    assert layer.trainable_weights == []


def saved_and_loaded(layer, path):
    inputs = layers.Input(shape=(None, 32))
    models.Model(inputs, layer(inputs)).save(path)
    return models.load_model(path).layers[-1]


@keras_3
@pytest.mark.parametrize("kind", KINDS)
def test_lora_in_a_file(kind, tmp_path):
    layer = KINDS[kind](name="layer")
    layer.build((None, None, 32))
    layer.enable_lora(2, lora_alpha=3)
    for weight in layer.trainable_weights:
        weight.assign(np.random.RandomState(1).normal(size=weight.shape))
    loaded = saved_and_loaded(layer, tmp_path / "model.keras")
    found, expected = (to_numpy(each(ops.convert_to_tensor(FEATURES))) for each in (loaded, layer))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert len(loaded.trainable_weights) == len(layer.trainable_weights)
    assert {each["rank"] for each in loaded.get_config()["lora"].values()} == {2}


@pytest.mark.slow
@keras_3
@pytest.mark.parametrize("kind", KINDS)
def test_quantized_sub_layers_in_a_file(kind, tmp_path):
    layer = KINDS[kind](name="layer")
    layer.build((None, None, 32))
    for each in layer.dense_layers().values():
        each.quantize("int8")
    loaded = saved_and_loaded(layer, tmp_path / "model.keras")
    assert {str(each.dtype) for each in loaded.weights if each.ndim == 2} == {"int8"}
    found, expected = (to_numpy(each(ops.convert_to_tensor(FEATURES))) for each in (loaded, layer))
    np.testing.assert_array_equal(found, expected)
