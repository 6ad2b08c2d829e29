"""Activations by PyTorch's names, compared with PyTorch."""

import numpy as np
import pytest
from runtimes import KERAS_3, to_numpy

from keras_bert.activations import torch_names
from keras_bert.activations.torch_names import by_torch_name, torch_name_of
from keras_bert.backend import keras, ops

MODULE = torch_names.__name__
VALUES = np.linspace(-7, 7, 57).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("path", torch_names._BY_CLASS)
def test_values_are_pytorchs(path):
    torch = pytest.importorskip("torch")
    function = by_torch_name(path)
    expected = getattr(torch.nn, path.rpartition(".")[2])()(torch.tensor(VALUES)).numpy()
    found = to_numpy(function(ops.convert_to_tensor(VALUES)))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("path", torch_names._BY_CLASS)
def test_names_go_both_ways_and_files_hold_them(path):
    function = by_torch_name(path)
    assert by_torch_name(torch_name_of(function)) is function
    layer = keras.layers.Dense(2, activation=function)
    again = keras.layers.Dense.from_config(layer.get_config())
    assert again.activation is function


def test_shorter_paths_of_the_same_class():
    assert by_torch_name("torch.nn.Tanh") is by_torch_name("torch.nn.modules.activation.Tanh")


@pytest.mark.parametrize("path", ["torch.nn.PReLU", "os.system", "Tanh", "", "mine.nn.Tanh"])
def test_other_names(path):
    assert by_torch_name(path) is None


def test_no_activation_is_the_identity():
    assert torch_name_of(None) == "torch.nn.modules.linear.Identity"
    assert torch_name_of(np.tanh) is None


@pytest.mark.skipif(KERAS_3, reason="Keras 3 knows ours by keras_bert>…")
def test_no_name_of_ours_is_one_of_keras():
    """On Keras 2, activations are registered by their plain names, before Keras' own."""
    functions = vars(torch_names).items()
    ours = {name for name, each in functions if getattr(each, "__module__", "") == MODULE}
    keras_own = {*dir(keras.activations), *dir(keras.layers)}  # "leaky_relu" is LeakyReLU there
    assert len(ours) > 8
    assert not set(map(plain, ours)) & set(map(plain, keras_own))


def plain(name):
    return name.lower().replace("_", "")
