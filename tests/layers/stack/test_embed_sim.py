"""The layers that old files name after keras-embed-sim, on every runtime."""

import numpy as np
import pytest
from runtimes import KERAS_3, to_numpy

from keras_bert import get_custom_objects
from keras_bert.backend import ops
from keras_bert.layers import EmbeddingSimilarity, TokenEmbedding
from keras_bert.layers.stack.embed_sim import EmbeddingRet, EmbeddingSim

TABLE = np.random.RandomState(0).normal(size=(7, 4)).astype("float32")
FEATURES = np.random.RandomState(1).normal(size=(2, 3, 4)).astype("float32")


def test_files_find_them_by_name():
    found = get_custom_objects()
    assert found["EmbeddingRet"] is EmbeddingRet
    assert found["EmbeddingSim"] is EmbeddingSim


def test_a_table_and_rows_of_it():
    layer = EmbeddingRet(7, 4)
    ids = np.array([[1, 6], [0, 1]], "int32")
    layer(ops.convert_to_tensor(ids))
    layer.set_weights([TABLE])
    embedded, table = map(to_numpy, layer(ops.convert_to_tensor(ids)))
    np.testing.assert_array_equal(embedded, TABLE[ids])
    np.testing.assert_array_equal(table, TABLE)


@pytest.mark.parametrize("use_bias", [True, False])
def test_probabilities(use_bias):
    layer = EmbeddingSim(use_bias=use_bias)
    arguments = [ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(TABLE)]
    layer(arguments)
    bias = np.arange(7, dtype="float32") if use_bias else np.zeros(7)
    layer.set_weights([bias] if use_bias else [])
    exponents = np.exp(FEATURES @ TABLE.T + bias)
    expected = exponents / exponents.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(to_numpy(layer(arguments)), expected, atol=1e-6)


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has the package itself")
def test_on_keras_3_they_are_this_packages_own():
    assert EmbeddingRet is TokenEmbedding
    assert issubclass(EmbeddingSim, EmbeddingSimilarity)


@pytest.mark.skipif(KERAS_3, reason="Keras 3 has none")
def test_on_keras_2_they_are_the_packages():
    import keras_embed_sim

    assert EmbeddingRet is keras_embed_sim.EmbeddingRet
    assert EmbeddingSim is keras_embed_sim.EmbeddingSim
