"""Models that run at any length, and their twins, which do."""

import numpy as np
import pytest
from devices import rounding
from runtimes import KERAS_3

from keras_bert import extract_embeddings, get_custom_objects, get_model
from keras_bert.backend import layers, models
from keras_bert.extraction import any_length
from keras_bert.extraction.any_length import (
    any_length_twin,
    consists_of_known_layers,
    runs_at_any_length,
)
from keras_bert.layers import FeedForward, LayerNormalization, TokenEmbedding

IDS = [np.array([[3, 4, 5, 6, 7], [8, 9, 0, 0, 0]]), np.zeros((2, 5), "int32")]


def encoder(**options):
    sizes = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 7}
    sizes |= {"token_num": 20, "pos_num": 9, "seq_len": 8, "training": False}
    return models.Model(*get_model(**{**sizes, **options}))


def finished(finish):
    inner = encoder()
    return models.Model(inner.inputs, finish(inner.output))


class Own(models.Model):
    """A subclass, which may compute anything."""


def embedded(mask_zero):
    inputs = [layers.Input(shape=(8,), dtype="int32") for _ in range(2)]
    tokens, _ = TokenEmbedding(20, 6, mask_zero=mask_zero)(inputs[0])
    return models.Model(inputs, layers.Concatenate()([tokens, layers.Embedding(2, 6)(inputs[1])]))


@pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded")
@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (encoder, True),
        (lambda: encoder(seq_len=None, output_layer_num=2, output_len=1), True),
        (lambda: finished(FeedForward(5)), True),
        (lambda: embedded(mask_zero=True), True),
        (lambda: embedded(mask_zero=False), False),
        (lambda: finished(layers.Dense(3)), True),
        (lambda: finished(layers.UnitNormalization()), True),
        (lambda: finished(layers.UnitNormalization(axis=1)), False),
        (lambda: finished(layers.GlobalAveragePooling1D()), False),
        (lambda: finished(lambda output: output * 2), False),
        (lambda: Own(*get_model(20, 9, 8, 12, 1, 3, 7, training=False)), False),
    ],
    ids=[
        *("encoder", "two outputs", "feed-forward", "embeddings", "no mask", "dense", "length"),
        "length over positions",
        *("pooling", "operation", "subclass"),
    ],
)
def test_known_layers_with_a_mask_run_at_any_length(build, expected):
    model = build()
    assert runs_at_any_length(model) == expected
    if expected:
        assert consists_of_known_layers(model)


@pytest.mark.parametrize("axis", [1, -2])
def test_what_joins_or_normalizes_positions_does_not(axis):
    joined = finished(lambda output: layers.Concatenate(axis=axis)([output, output]))
    assert consists_of_known_layers(joined)
    assert not runs_at_any_length(joined)


@pytest.mark.skipif(not KERAS_3, reason="the small package's layer has one axis")
@pytest.mark.parametrize(("axis", "expected"), [(-1, True), (2, True), ([-1], True), (1, False)])
def test_normalization_over_positions_does_not(axis, expected):
    model = finished(lambda output: LayerNormalization(axis=axis)(output))
    assert runs_at_any_length(model) == expected


def test_a_twin_gives_the_features_of_the_model_at_other_lengths():
    model = encoder()
    twin = any_length_twin(model)
    padded = [np.pad(each, ((0, 0), (0, 3))) for each in IDS]
    expected = np.asarray(model.predict_on_batch(padded))[:, :5]
    found = np.asarray(twin.predict_on_batch(IDS))
    for row, length in enumerate((5, 2)):
        np.testing.assert_allclose(found[row, :length], expected[row, :length], atol=rounding(1e-5))


def test_a_twin_is_made_once_and_has_the_weights_of_the_moment():
    model = encoder()
    before = np.asarray(any_length_twin(model).predict_on_batch(IDS))
    twin = any_length_twin(model)
    norm = model.get_layer("Encoder-2-FeedForward-Norm")
    norm.set_weights([2 * weight for weight in norm.get_weights()])
    assert any_length_twin(model) is twin
    np.testing.assert_allclose(
        np.asarray(twin.predict_on_batch(IDS)), 2 * before, rtol=rounding(1e-5)
    )


@pytest.mark.skipif(not KERAS_3, reason="Keras 3's LoRA")
def test_a_twin_follows_new_variables():
    model = encoder()
    twin = any_length_twin(model)
    query = model.get_layer("Encoder-1-MultiHeadSelfAttention").query
    query.enable_lora(2)
    query.lora_kernel_b.assign(np.ones((2, 12)))
    assert any_length_twin(model) is not twin
    padded = [np.pad(each, ((0, 0), (0, 3))) for each in IDS]
    np.testing.assert_allclose(
        np.asarray(any_length_twin(model).predict_on_batch(IDS))[0],
        np.asarray(model.predict_on_batch(padded))[0, :5],
        atol=rounding(1e-5),
    )


@pytest.mark.parametrize("nested", [False, True])
def test_sizes_of_a_model(nested):
    model = encoder(segment_num=3)
    if nested:
        inputs = [layers.Input(shape=(8,), dtype="int32") for _ in range(2)]
        model = models.Model(inputs, model(inputs))
    assert any_length.position_num(model) == 9
    assert any_length.token_num(model) == 20
    assert any_length.segment_num(model) == 3


def test_a_model_without_tables_has_no_sizes():
    inputs = layers.Input(shape=(None, 4))
    model = models.Model(inputs, layers.Dense(3)(inputs))
    for size in (any_length.position_num, any_length.token_num, any_length.segment_num):
        assert size(model) is None


def test_models_of_the_first_tokens():
    assert any_length.gives_first_tokens_only(encoder(output_len=1))
    assert not any_length.gives_first_tokens_only(encoder())


def test_a_fixed_model_is_run_shorter_and_left_as_it_was(vocabulary, load):
    model = load(seq_len=12)
    before = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert model.output_shape == (None, 12, 12)
    assert tuple(model.get_layer("Embedding-Norm").output.shape) == (None, 12, 12)
    table = model.get_layer("Embedding-Position").get_weights()[0]
    model.get_layer("Embedding-Position").set_weights([2 * table])
    after = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.slow
def test_running_a_fixed_model_shorter_does_not_show_in_it(vocabulary, tmp_path, load):
    model = load(seq_len=12)
    config = str(model.get_config())
    before = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert str(model.get_config()) == config
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", get_custom_objects())
    assert loaded.output_shape == (None, 12, 12)
    after = extract_embeddings(loaded, ["a b"], vocabs=vocabulary)[0]
    np.testing.assert_allclose(after, before, atol=1e-6)
