"""The configuration that follows from the weights of TensorFlow Hub's models."""

import json

import numpy as np
import pytest
from checkpoint_files import DATA
from model_folders import write_google_folder
from runtimes import once

from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.checkpoint import Checkpoint
from keras_bert.checkpoints.stored import ChangedTensor
from keras_bert.families import ConfigError
from keras_bert.families.configuration import activation_name, read_config
from keras_bert.families.inference import inferred_config

pytestmark = once

GARDEN = DATA.parent / "model_garden"
SAVED_MODEL = GARDEN / "saved_model" / "variables" / "variables"


@pytest.mark.parametrize("prefix", [SAVED_MODEL, GARDEN / "checkpoint" / "bert_model.ckpt-1"])
def test_sizes_are_those_that_the_model_was_built_with(prefix):
    with open_checkpoint(prefix) as checkpoint:
        config = read_config(None, checkpoint)
        assert config == json.loads((GARDEN / "checkpoint" / "bert_config.json").read_text())
        assert activation_name(config, checkpoint) == activation_name(config) == "gelu_tanh"


def test_electra_s_embeddings_have_a_size_of_their_own():
    bert = json.loads((GARDEN / "checkpoint" / "bert_config.json").read_text())
    with open_checkpoint(GARDEN / "electra" / "variables" / "variables") as checkpoint:
        assert inferred_config(checkpoint) == {**bert, "embedding_size": 6}


def test_albert_s_number_of_layers_does_not_follow():
    path = GARDEN / "albert" / "bert_model.ckpt-1"
    with open_checkpoint(path) as checkpoint, pytest.raises(ConfigError, match="share their"):
        read_config(None, checkpoint)


def test_no_file_and_no_checkpoint():
    with pytest.raises(ConfigError, match="`config_file` may be None only together with"):
        read_config(None)


def test_google_s_first_checkpoints_do_not_tell_the_number_of_heads(tmp_path):
    write_google_folder(tmp_path)
    with pytest.raises(ConfigError, match=r"number of heads.*such as bert_config\.json"):
        read_config(None, open_checkpoint(tmp_path / "bert_model.ckpt"))
    write_tensor_bundle(tmp_path / "other", {"kernel": np.zeros(3)})
    with pytest.raises(ConfigError, match="It holds 1 tensors: 1 kernel"):
        read_config(None, open_checkpoint(tmp_path / "other"))


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("bert/embeddings/word_embeddings", "'bert/embeddings/word_embeddings' must be a matrix"),
        ("bert/embeddings/token_type_embeddings", "there is none"),
        ("bert/encoder/layer_0/intermediate/dense/kernel", "there is none"),
        ("bert/encoder/layer_0/attention/self/query/kernel", "number of heads"),
    ],
)
def test_what_is_missing_is_named(name, match):
    with open_checkpoint(SAVED_MODEL) as whole:
        tensors = {key: each for key, each in whole._tensors.items() if key != name}
    with pytest.raises(ConfigError, match=match):
        inferred_config(Checkpoint(SAVED_MODEL, "tensor_bundle", tensors))


def test_heads_that_do_not_divide_the_hidden_size():
    query = "bert/encoder/layer_0/attention/self/query/kernel"
    with open_checkpoint(SAVED_MODEL) as whole:
        tensors = dict(whole._tensors)
    source = tensors["bert/embeddings/word_embeddings"]
    odd = ChangedTensor(source, (12, 5, 4), np.copy)
    tensors[query] = ChangedTensor(odd, (12, 20), np.copy)
    with pytest.raises(ConfigError, match="5 heads do not divide the hidden size 12"):
        inferred_config(Checkpoint(SAVED_MODEL, "tensor_bundle", tensors))
