from math import erf, pi, sqrt, tanh

import numpy as np
import pytest
from runtimes import KERAS_3, to_numpy

import keras_bert
from keras_bert import activations
from keras_bert.backend import activations as keras_activations
from keras_bert.backend import keras, layers, models, ops, utils

X = np.linspace(-6, 6, 25, dtype="float32")
TANH_FORM = [0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) for x in X.tolist()]
ERF_FORM = [0.5 * x * (1 + erf(x / sqrt(2))) for x in X.tolist()]


def values(function):
    return to_numpy(function(ops.convert_to_tensor(X)))


def test_both_forms():
    np.testing.assert_allclose(values(activations.gelu_tanh), TANH_FORM, atol=2e-6)
    np.testing.assert_allclose(values(activations.gelu_erf), ERF_FORM, atol=2e-6)
    assert np.abs(np.subtract(TANH_FORM, ERF_FORM)).max() > 4e-4  # far above the tolerance
    assert keras_bert.gelu is activations.gelu_tanh


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("gelu", TANH_FORM),
        ("gelu_new", TANH_FORM),
        ("gelu_pytorch_tanh", TANH_FORM),
        ("gelu_tanh", TANH_FORM),
        ("gelu_erf", ERF_FORM),
        (keras_activations.gelu, ERF_FORM),
        (activations.gelu_tanh, TANH_FORM),
        ("relu", np.maximum(X, 0)),
        ("linear", X),
        (None, X),
        (np.tanh, np.tanh(X)),
    ],
)
def test_names(identifier, expected):
    function = activations.get(identifier)
    result = function(X) if identifier is np.tanh else values(function)
    np.testing.assert_allclose(result, expected, atol=2e-6)


def test_unknown_name():
    with pytest.raises(ValueError, match="swoosh"):
        activations.get("swoosh")


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [("gelu", TANH_FORM), ("gelu_erf", ERF_FORM), (keras_activations.gelu, ERF_FORM)],
)
def test_forms_survive_a_config(identifier, expected):
    """In Dense heads, too, where the string "gelu" alone would mean Keras' erf form."""
    layer = layers.Dense(25, activation=activations.get(identifier))
    objects = {} if KERAS_3 else keras_bert.get_custom_objects()
    with utils.custom_object_scope(objects):
        twin = layers.Dense.from_config(layer.get_config())
    np.testing.assert_allclose(values(twin.activation), expected, atol=2e-6)
    if KERAS_3:
        stored = keras.saving.serialize_keras_object(activations.get(identifier))
        function = activations.get(stored)
        np.testing.assert_allclose(values(function), expected, atol=2e-6)


@pytest.mark.parametrize(("name", "expected"), [("gelu", TANH_FORM), ("gelu_erf", ERF_FORM)])
def test_forms_survive_a_file(name, expected, tmp_path):
    inputs = layers.Input(shape=(25,))
    dense = layers.Dense(25, activation=activations.get(name), kernel_initializer="identity")
    models.Model(inputs, dense(inputs)).save(tmp_path / "model.keras")
    objects = {} if KERAS_3 else keras_bert.get_custom_objects()
    again = models.load_model(tmp_path / "model.keras", custom_objects=objects)
    np.testing.assert_allclose(again.predict(X[None], verbose=0)[0], expected, atol=2e-6)
