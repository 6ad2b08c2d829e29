"""Every name that a saved model may hold is among the custom objects."""

import pytest

from keras_bert import get_custom_objects
from keras_bert.activations import gelu_erf, gelu_tanh
from keras_bert.backend import layers, models

# What keras-bert 0.89 returned.
NAMES_OF_0_89 = {
    "gelu",
    "AdamWarmup",
    "EmbeddingRet",
    "EmbeddingSim",
    "EmbeddingSimilarity",
    "Extract",
    "FeedForward",
    "LayerNormalization",
    "Masked",
    "MultiHeadAttention",
    "PositionEmbedding",
    "TaskEmbedding",
    "TokenEmbedding",
    "TrigPosEmbedding",
}


def test_names_of_the_old_package():
    assert get_custom_objects().keys() > NAMES_OF_0_89


def test_names_of_layers_are_their_own():
    objects = get_custom_objects()
    for name in ("FeedForward", "TokenEmbedding", "MaskedConv1D", "Extract", "TaskEmbedding"):
        assert objects[name].__name__ == name
        assert issubclass(objects[name], layers.Layer)


def test_gelu_of_old_files_is_the_tanh_form():
    objects = get_custom_objects()
    assert objects["gelu"] is objects["gelu_tanh"] is gelu_tanh
    assert objects["gelu_erf"] is gelu_erf


def test_every_call_gives_a_dict_of_ones_own():
    get_custom_objects().clear()
    assert get_custom_objects()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_of_ones_own_layers_beside_them(tmp_path, suffix):
    class Own(layers.Dense):
        pass

    inputs = layers.Input(shape=(4,))
    model = models.Model(inputs, Own(3, activation="gelu")(inputs))
    model.save(tmp_path / f"model{suffix}")
    objects = {**get_custom_objects(), "Own": Own}
    again = models.load_model(tmp_path / f"model{suffix}", custom_objects=objects)
    assert type(again.layers[-1]) is Own
