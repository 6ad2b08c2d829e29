"""A loaded model computes the GELU that the program meant which wrote the weights."""

import json

import pytest
from model_folders import CONFIG, random_weights, write_google_folder

from keras_bert import (
    CheckpointError,
    build_model_from_config,
    get_model,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import models
from keras_bert.checkpoints.safetensors import write_safetensors
from keras_bert.families import BERT
from keras_bert.families.weights import to_checkpoint

SMALL = {**CONFIG, "num_hidden_layers": 1}  # of a checkpoint with two layers
BUNDLE, SAFETENSORS = "bert_model.ckpt", "model.safetensors"
GOOGLE, HUGGING_FACE = {}, {"model_type": "bert"}


@pytest.fixture
def mixed(tmp_path):
    """Writes a configuration of either kind; the folder has the weights in files of both kinds."""
    write_google_folder(tmp_path)
    arrays = to_checkpoint(random_weights(), "huggingface")
    write_safetensors(tmp_path / SAFETENSORS, arrays)

    def write_config(**changes):
        (tmp_path / "config.json").write_text(json.dumps({**SMALL, **changes}))
        return tmp_path / "config.json"

    return write_config


def activation_of(model):
    return model.get_layer("Encoder-1-FeedForward").activation.__name__


@pytest.mark.parametrize(
    ("keys", "given", "file", "name"),
    [
        (GOOGLE, "gelu", BUNDLE, "gelu_tanh"),
        (GOOGLE, "gelu", SAFETENSORS, "gelu_erf"),
        (HUGGING_FACE, "gelu", BUNDLE, "gelu_tanh"),
        (HUGGING_FACE, "gelu", SAFETENSORS, "gelu_erf"),
        (HUGGING_FACE, "gelu_new", SAFETENSORS, "gelu_tanh"),
        (HUGGING_FACE, "gelu_pytorch_tanh", SAFETENSORS, "gelu_tanh"),
        (HUGGING_FACE, "gelu_tanh", SAFETENSORS, "gelu_tanh"),
        (HUGGING_FACE, "gelu_python", SAFETENSORS, "gelu_erf"),
        (GOOGLE, "gelu_python", BUNDLE, "gelu_erf"),
        (GOOGLE, "gelu_erf", BUNDLE, "gelu_erf"),
        (GOOGLE, "relu", BUNDLE, "relu"),
    ],
)
def test_the_program_that_wrote_the_weights_decides(mixed, keys, given, file, name):
    config_file = mixed(hidden_act=given, **keys)
    checkpoint = config_file.with_name(file)
    assert activation_of(load_trained_model_from_checkpoint(config_file, checkpoint)) == name


def test_the_heads_have_the_activation_of_the_encoder(mixed):
    for file, name in ((BUNDLE, "gelu_tanh"), (SAFETENSORS, "gelu_erf")):
        config_file = mixed()
        model = load_trained_model_from_checkpoint(
            config_file, config_file.with_name(file), training=True
        )
        assert activation_of(model) == model.get_layer("MLM-Dense").activation.__name__ == name


@pytest.mark.parametrize(
    ("keys", "file", "built", "meant"),
    [
        (GOOGLE, SAFETENSORS, "gelu_tanh", "gelu_erf"),
        (HUGGING_FACE, BUNDLE, "gelu_erf", "gelu_tanh"),
    ],
)
def test_the_other_gelu_is_not_filled_silently(mixed, keys, file, built, meant):
    config_file = mixed(**keys)
    checkpoint = config_file.with_name(file)
    model, config = build_model_from_config(config_file)
    assert activation_of(model) == built
    says = (
        f"means '{meant}' with .* built with '{built}'.*load_trained_model_from_checkpoint"
        f".*feed_forward_activation='{meant}'"
    )
    with pytest.raises(CheckpointError, match=says):
        load_model_weights_from_checkpoint(model, config, checkpoint)
    # As the error says: the one that is meant, and the other for who asks for it.
    for name in (meant, built):
        model, config = build_model_from_config(config_file, feed_forward_activation=name)
        load_model_weights_from_checkpoint(model, config, checkpoint)
        assert activation_of(model) == name
    model = load_trained_model_from_checkpoint(
        config_file, checkpoint, feed_forward_activation=built
    )
    assert activation_of(model) == built


@pytest.mark.parametrize("given", ["gelu_erf", "gelu_new", "relu"])
def test_other_names_are_filled_from_every_file(mixed, given):
    config_file = mixed(hidden_act=given)
    for file in (BUNDLE, SAFETENSORS):
        model, config = build_model_from_config(config_file)
        assert config["hidden_act"] == given
        load_model_weights_from_checkpoint(model, config, config_file.with_name(file))


def test_a_model_of_get_model_with_the_configuration_as_json_reads_it(mixed):
    """As scripts of 2019 do, which know nothing of the exact form."""
    config_file = mixed()
    config = json.loads(config_file.read_text())
    sizes = {**BERT.arguments(config), "seq_len": 16, "training": False}
    model = models.Model(*get_model(**sizes))
    load_model_weights_from_checkpoint(model, config, config_file.with_name(BUNDLE))
    with pytest.raises(CheckpointError, match="feed_forward_activation='gelu_erf'"):
        load_model_weights_from_checkpoint(model, config, config_file.with_name(SAFETENSORS))
    config["hidden_act"] = "gelu_tanh"  # as the error says
    load_model_weights_from_checkpoint(model, config, config_file.with_name(SAFETENSORS))
    exact = models.Model(*get_model(**sizes, feed_forward_activation="gelu_erf"))
    config["hidden_act"] = "gelu"
    load_model_weights_from_checkpoint(exact, config, config_file.with_name(SAFETENSORS))
