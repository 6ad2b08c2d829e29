"""The parts of Keras in this package are those of the one Keras in use."""

import pytest
from runtimes import RUNTIME

import keras_bert
from keras_bert import backend


def test_one_keras_for_all():
    if RUNTIME == "tf_keras":
        import tf_keras as expected
    else:
        import keras as expected

        assert expected.__version__.startswith("3.")
    assert (RUNTIME == "tf_keras") == backend.TF_KERAS
    assert backend.keras.layers.Layer is expected.layers.Layer
    assert backend.layers.Layer is expected.layers.Layer
    assert issubclass(keras_bert.layers.MultiHeadAttention, expected.layers.Layer)


def test_names_are_those_of_before():
    """Of keras-bert 0.88, from whose backend scripts import them."""
    for name in (
        *("activations", "backend", "callbacks", "constraints", "initializers", "layers", "losses"),
        *("metrics", "models", "optimizers", "regularizers", "utils"),
    ):
        assert getattr(backend, name) is getattr(backend.keras, name)
    assert {"keras", "TF_KERAS"} <= set(vars(backend))


def test_operations_are_those_of_this_keras():
    """Of Keras 2, which has none, this package's few."""
    name = backend.ops.__name__
    assert name == ("keras_bert.backend.keras_2_ops" if RUNTIME == "tf_keras" else "keras.ops")


def test_there_are_no_other_names():
    assert not hasattr(backend, "parameters")
    with pytest.raises(ImportError, match="cannot import name 'parameters'"):
        exec("from keras_bert.backend import parameters")
