"""First values of weights: drawn anew for every weight, or zeros where a file overwrites them."""

import threading

import numpy as np
import pytest
from runtimes import KERAS_3, dtype_name, to_numpy

from keras_bert.backend import initializers, keras, layers, ops
from keras_bert.layers import FeedForward, MultiHeadAttention
from keras_bert.layers.embedding import Embedding
from keras_bert.layers.initializer import GlorotNormal, build_embedding, overwritten


def test_values_are_glorots():
    """Of Glorot and Bengio, 2010: normal ones of variance 2 / (300 + 200)."""
    values = to_numpy(GlorotNormal()((300, 200), "float32"))
    # Five standard deviations of the mean, eight of the variance.
    assert values.mean() == pytest.approx(0, abs=5 * (2 / 500 / values.size) ** 0.5)
    assert values.var() == pytest.approx(2 / 500, rel=0.05)


def test_every_weight_is_drawn_anew_and_seeds_repeat_it():
    initializer, runs = GlorotNormal(), []
    for _ in range(2):
        keras.utils.set_random_seed(4)
        runs.append([to_numpy(initializer((3, 4), "float32")) for _ in range(2)])
    np.testing.assert_array_equal(*runs)
    assert (runs[0][0] != runs[0][1]).any()


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 writes the names of classes alone")
def test_files_know_it_as_keras_own():
    assert initializers.serialize(GlorotNormal())["class_name"] == "GlorotNormal"
    own = initializers.serialize(initializers.GlorotNormal())
    layer = FeedForward(4, kernel_initializer=GlorotNormal())
    assert layer.get_config()["kernel_initializer"] == own


def test_zeros_while_a_file_is_read():
    with overwritten():
        assert not to_numpy(GlorotNormal()((3, 4), "float32")).any()
        layer = FeedForward(5, kernel_initializer=GlorotNormal())
        layer.build((None, None, 4))
        assert not any(weight.any() for weight in layer.get_weights())
    assert to_numpy(GlorotNormal()((3, 4), "float32")).all()


def test_other_threads_draw_as_usual():
    found = []
    with overwritten():
        thread = threading.Thread(
            target=lambda: found.append(to_numpy(GlorotNormal()((3, 4), "float32")))
        )
        thread.start()
        thread.join()
    assert found[0].all()


def test_an_error_ends_it():
    with pytest.raises(KeyError), overwritten():
        raise KeyError
    assert to_numpy(GlorotNormal()((3, 4), "float32")).all()


def test_kernels_of_a_layer_with_one_initializer_differ():
    layer = MultiHeadAttention(2, None, kernel_initializer=GlorotNormal())
    layer.build((None, None, 8))
    kernels = [weight for weight in layer.get_weights() if weight.ndim == 2]
    assert len(kernels) == 4
    assert all((kernels[0] != other).any() for other in kernels[1:])


def test_an_embedding_is_built_with_given_values():
    layer = Embedding(5, 3, name="words")
    table = np.arange(15, dtype="float32").reshape(5, 3)
    before = layer.get_config()
    build_embedding(layer, (None, None), lambda shape, dtype: ops.convert_to_tensor(table))
    np.testing.assert_array_equal(layer.get_weights()[0], table)
    # Called with what the layer gives it; and its configuration does not tell.
    assert layer.get_config() == before
    output = layer(ops.convert_to_tensor(np.array([[4, 0]], "int32")))
    np.testing.assert_array_equal(to_numpy(output), table[[[4, 0]]])


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("given", [True, False])
def test_an_embedding_is_held_in_the_type_of_its_policy(dtype, given):
    """Values may come in another one, as those of files do."""
    layer = Embedding(5, 3, dtype=dtype)
    with overwritten():
        build_embedding(
            layer, (None, None), (lambda shape, dtype: np.ones(shape, "float32")) if given else None
        )
    (table,) = layer.weights
    assert dtype_name(table.value) == table.dtype == dtype
    np.testing.assert_array_equal(to_numpy(table.value), np.full((5, 3), float(given)))


def test_an_embedding_is_built_when_it_is_called_otherwise():
    layer = layers.Embedding(5, 3)
    build_embedding(layer, (None, None))
    assert not layer.built
    with overwritten():
        build_embedding(layer, (None, None))
    assert not layer.get_weights()[0].any()
