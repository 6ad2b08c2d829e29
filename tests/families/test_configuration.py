"""Configurations: what is read, what is refused, damaged copies; what "gelu" means in them."""

import json
import random
from pipes import make_pipe, refused

import pytest
from model_folders import CONFIG
from text_damage import damaged

from keras_bert.checkpoints import Checkpoint
from keras_bert.families.configuration import (
    ConfigError,
    activation_name,
    is_hugging_face,
    read_config,
)

HUGGING_FACE = {**CONFIG, "model_type": "bert"}


def write(path, config):
    path.write_text(config if isinstance(config, str) else json.dumps(config), "utf-8")
    return path


def test_reads_what_the_file_holds(tmp_path):
    config = {**CONFIG, "directionality": "bidi", "pooler_fc_size": 12}
    assert read_config(write(tmp_path / "bert_config.json", config)) == config


def test_byte_order_mark_is_no_part_of_the_json(tmp_path):
    path = tmp_path / "bert_config.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(CONFIG).encode())
    assert read_config(str(path)) == CONFIG


def test_who_wrote_it():
    assert not is_hugging_face(CONFIG)
    assert is_hugging_face({**CONFIG, "model_type": "bert"})
    assert is_hugging_face({**CONFIG, "layer_norm_eps": 1e-12})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 0}, "`vocab_size`.*positive integer.*Received: 0"),
        ({"vocab_size": "30"}, "`vocab_size`.*Received: '30'"),
        ({"hidden_size": 12.0}, "`hidden_size`.*Received: 12.0"),
        ({"num_hidden_layers": True}, "`num_hidden_layers`.*Received: True"),
        ({"type_vocab_size": -1}, "`type_vocab_size`.*Received: -1"),
        ({"num_attention_heads": 5}, "must divide.*5 and 12"),
        ({"layer_norm_eps": "small"}, "`layer_norm_eps`.*'small'"),
        ({"hidden_act": None}, "`hidden_act`.*None"),
        ({"model_type": "roberta"}, "is of RoBERTa, whose positions start at 2.*'roberta'.*ALBERT"),
        ({"use_relative_position": True}, "is of NEZHA.*Received: use_relative_position True"),
        ({"model_type": "gptx"}, "`model_type` must be 'bert'.*'gptx'"),
        ({"position_embedding_type": "relative_key"}, "`position_embedding_type`.*'relative_key'"),
        ({"is_decoder": True}, "`is_decoder`"),
        ({"embedding_size": 128}, "`embedding_size` must be 12"),
    ],
)
def test_refuses(tmp_path, change, message):
    path = write(tmp_path / "bert_config.json", {**CONFIG, **change})
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_lists_all_that_is_missing(tmp_path):
    path = write(tmp_path / "config.json", {"hidden_size": 12, "d_model": 3})
    with pytest.raises(ConfigError, match=r"lacks vocab_size, num_hidden_layers.*d_model"):
        read_config(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"bert"', '{"a": }', "[" * 100_000])
def test_no_json_object(tmp_path, text):
    with pytest.raises(ConfigError):
        read_config(write(tmp_path / "config.json", text))


def test_a_pipe_is_refused_at_once(tmp_path):
    with refused():
        read_config(make_pipe(tmp_path / "config.json"))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_config(tmp_path / "bert_config.json")


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]
)
def test_damaged_copies_are_refused_or_read_as_json_reads_them(tmp_path, seed):
    data = json.dumps(CONFIG, indent=1).encode()
    generator = random.Random(seed)
    path = tmp_path / "bert_config.json"
    refused = 0
    for _ in range(200):
        path.write_bytes(damaged(data, generator))
        try:
            config = read_config(path)
        except (ConfigError, OSError):
            refused += 1
        else:
            assert config == json.loads(path.read_bytes())
            assert config["hidden_size"] % config["num_attention_heads"] == 0
    assert refused > 140


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
