"""Names of weights as keras-bert 0.89 gave them, the same on every runtime."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_bert import get_model
from keras_bert.backend import layers, models
from keras_bert.optimizers.weight_names import layer_prefix, name_of_path, weight_name

FACTS = Path(__file__).resolve().parents[1] / "data" / "old_files" / "facts.json"


def pretraining_model():
    sizes = {"token_num": 40, "pos_num": 10, "seq_len": 10, "embed_dim": 12, "transformer_num": 1}
    sizes |= {"head_num": 2, "feed_forward_dim": 20, "use_task_embed": True, "task_num": 4}
    return get_model(**sizes)


def test_names_are_those_of_the_old_library():
    facts = json.loads(FACTS.read_text("utf-8"))
    want = [name for name, _ in facts["mlm_nsp_task"]["weights"]]
    assert [weight_name(weight) for weight in pretraining_model().weights] == want


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("NSP-Dense/kernel", "NSP-Dense/kernel:0"),
        (
            "Encoder-1-FeedForward/output/kernel",
            "Encoder-1-FeedForward/Encoder-1-FeedForward_W2:0",
        ),
        (
            "bert/Encoder-2-MultiHeadSelfAttention/key/bias",
            "bert/Encoder-2-MultiHeadSelfAttention/Encoder-2-MultiHeadSelfAttention_bk:0",
        ),
        ("Encoder-1-FeedForward-Norm/gamma", "Encoder-1-FeedForward-Norm/gamma:0"),
        # A factor of LoRA, and a layer of another kind with a part of that name.
        (
            "Encoder-1-FeedForward/output/lora_kernel_a",
            "Encoder-1-FeedForward/output/lora_kernel_a:0",
        ),
        ("decoder/output/kernel", "decoder/output/kernel:0"),
        ("bias", "bias:0"),
    ],
)
def test_paths_of_keras_3(path, name):
    assert name_of_path(path) == name
    assert weight_name(SimpleNamespace(path=path, name=name)) == name


PREFIXES = ["Encoder-1", "Encoder-1-FeedForward", "Embedding", "Encoder-2-"]


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("Encoder-1-FeedForward/hidden/kernel", "Encoder-1-FeedForward"),
        ("Encoder-1-FeedForward-Norm/gamma", "Encoder-1-FeedForward"),
        ("Encoder-1-MultiHeadSelfAttention/key/bias", "Encoder-1"),
        ("Encoder-12-MultiHeadSelfAttention/key/bias", "Encoder-1"),
        ("Embedding-Token/embeddings", "Embedding"),
        ("bert/Encoder-2-FeedForward/hidden/kernel", "Encoder-2-"),
        ("Encoder-20-FeedForward/hidden/kernel", None),
        ("NSP/kernel", None),
    ],
)
def test_the_longest_beginning_of_a_layers_name(path, prefix):
    variable = SimpleNamespace(path=path, name=name_of_path(path))
    assert layer_prefix(variable, PREFIXES) == prefix


def test_layers_of_a_model_in_a_model():
    encoder = models.Model(*get_model(20, 9, 8, 12, 1, 3, 7, training=False, trainable=True))
    inputs = [layers.Input(shape=(8,), dtype="int32") for _ in range(2)]
    outer = models.Model(inputs, layers.Dense(2, name="Label")(encoder(inputs)))
    found = {layer_prefix(weight, ["Encoder-1-", "Label"]) for weight in outer.trainable_weights}
    assert found == {"Encoder-1-", "Label", None}
    names = [weight_name(weight) for weight in outer.trainable_weights]
    assert any(name.endswith("Encoder-1-FeedForward/Encoder-1-FeedForward_W1:0") for name in names)
