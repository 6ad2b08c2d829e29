"""What "gelu" means, by who wrote the file."""

import pytest
from model_folders import CONFIG

from keras_bert.checkpoints import Checkpoint
from keras_bert.families.activation import activation_name

HUGGING_FACE = {**CONFIG, "model_type": "bert"}


def checkpoint(format):
    return Checkpoint("model", format, {})


@pytest.mark.parametrize("config", [CONFIG, HUGGING_FACE], ids=["google", "hugging face"])
@pytest.mark.parametrize(
    ("format", "name"),
    [("tensor_bundle", "gelu_tanh"), ("safetensors", "gelu_erf"), ("torch", "gelu_erf")],
)
def test_the_program_that_wrote_the_weights_decides(config, format, name):
    assert activation_name(config, checkpoint(format)) == name


def test_of_a_configuration_alone_its_keys_decide():
    assert activation_name(CONFIG) == "gelu_tanh"
    assert activation_name(HUGGING_FACE) == "gelu_erf"
    assert activation_name({**CONFIG, "layer_norm_eps": 1e-12}) == "gelu_erf"


@pytest.mark.parametrize("format", [None, "tensor_bundle", "safetensors", "torch"])
@pytest.mark.parametrize("config", [CONFIG, HUGGING_FACE], ids=["google", "hugging face"])
@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("gelu_new", "gelu_tanh"),
        ("gelu_pytorch_tanh", "gelu_tanh"),
        ("gelu_tanh", "gelu_tanh"),
        ("gelu_erf", "gelu_erf"),
        ("gelu_python", "gelu_erf"),
        ("relu", "relu"),
        ("swish", "swish"),
    ],
)
def test_other_names_mean_the_same_everywhere(config, format, given, name):
    known = format and checkpoint(format)
    assert activation_name({**config, "hidden_act": given}, known) == name
