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


def activations_of(model):
    layers = ("Encoder-1-FeedForward", "Encoder-2-FeedForward", "MLM-Dense")
    found = {model.get_layer(name).activation.__name__ for name in layers}
    return found.pop() if len(found) == 1 else found


BUNDLE, SAFETENSORS = "bert_model.ckpt", "model.safetensors"


@pytest.fixture
def mixed(tmp_path):
    """Writes a configuration of either kind; the folder has the weights in files of both kinds."""
    write_google_folder(tmp_path)
    arrays = to_checkpoint(random_weights(), "huggingface")
    write_safetensors(tmp_path / SAFETENSORS, arrays)

    def write_config(**changes):
        (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **changes}))
        return tmp_path / "config.json"

    return write_config


@pytest.mark.parametrize("keys", [{}, {"model_type": "bert"}], ids=["google", "hugging face"])
@pytest.mark.parametrize(
    ("given", "file", "name"),
    [
        ("gelu", BUNDLE, "gelu_tanh"),
        ("gelu", SAFETENSORS, "gelu_erf"),
        ("gelu_new", SAFETENSORS, "gelu_tanh"),
        ("gelu_pytorch_tanh", SAFETENSORS, "gelu_tanh"),
        ("gelu_tanh", SAFETENSORS, "gelu_tanh"),
        ("gelu_python", BUNDLE, "gelu_erf"),
        ("gelu_erf", BUNDLE, "gelu_erf"),
        ("relu", BUNDLE, "relu"),
    ],
)
def test_gelu_means_what_the_file_means(mixed, keys, given, file, name):
    """In one step, and in two where the builder is told."""
    config_file = mixed(hidden_act=given, **keys)
    checkpoint = config_file.with_name(file)
    model = load_trained_model_from_checkpoint(config_file, checkpoint, training=True)
    assert activations_of(model) == name
    in_two_steps, config = build_model_from_config(
        config_file, training=True, feed_forward_activation=name
    )
    load_model_weights_from_checkpoint(in_two_steps, config, checkpoint, training=True)
    assert activations_of(in_two_steps) == name


@pytest.mark.parametrize(
    ("keys", "file", "built", "meant"),
    [
        ({}, SAFETENSORS, "gelu_tanh", "gelu_erf"),
        ({"model_type": "bert"}, BUNDLE, "gelu_erf", "gelu_tanh"),
    ],
)
def test_the_other_gelu_is_not_filled_silently(mixed, keys, file, built, meant):
    config_file = mixed(**keys)
    checkpoint = config_file.with_name(file)
    model, config = build_model_from_config(config_file, training=True)
    assert activations_of(model) == built
    says = (
        f"means '{meant}' with .* built with '{built}'.*load_trained_model_from_checkpoint"
        f".*feed_forward_activation='{meant}'"
    )
    with pytest.raises(CheckpointError, match=says):
        load_model_weights_from_checkpoint(model, config, checkpoint, training=True)
    # Who asks for it gets it.
    chosen, config = build_model_from_config(
        config_file, training=True, feed_forward_activation=built
    )
    load_model_weights_from_checkpoint(chosen, config, checkpoint, training=True)
    assert activations_of(chosen) == built
    chosen = load_trained_model_from_checkpoint(
        config_file, checkpoint, training=True, feed_forward_activation=built
    )
    assert activations_of(chosen) == built


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
