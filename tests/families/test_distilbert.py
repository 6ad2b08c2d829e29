"""DistilBERT in Hugging Face's files, whose names are written down here once more."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy_bert import NumpyBert
from numpy_functions import gelu_erf
from safetensors.numpy import save_file

from keras_bert import (
    build_model_from_config,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import DISTILBERT, ConfigError

CONFIG = {
    "model_type": "distilbert",
    "vocab_size": 11,
    "dim": 4,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 6,
    "activation": "gelu",
    "max_position_embeddings": 7,
    "sinusoidal_pos_embds": False,
    "dropout": 0.1,
    "attention_dropout": 0.1,
}
ENCODER = {
    "embeddings.word_embeddings.weight": ((11, 4), "Embedding-Token", 0),
    "embeddings.position_embeddings.weight": ((7, 4), "Embedding-Position", 0),
    "embeddings.LayerNorm.weight": ((4,), "Embedding-Norm", 0),
    "embeddings.LayerNorm.bias": ((4,), "Embedding-Norm", 1),
}
LAYER = {
    "attention.q_lin.weight": ((4, 4), "MultiHeadSelfAttention", 0),
    "attention.q_lin.bias": ((4,), "MultiHeadSelfAttention", 1),
    "attention.k_lin.weight": ((4, 4), "MultiHeadSelfAttention", 2),
    "attention.k_lin.bias": ((4,), "MultiHeadSelfAttention", 3),
    "attention.v_lin.weight": ((4, 4), "MultiHeadSelfAttention", 4),
    "attention.v_lin.bias": ((4,), "MultiHeadSelfAttention", 5),
    "attention.out_lin.weight": ((4, 4), "MultiHeadSelfAttention", 6),
    "attention.out_lin.bias": ((4,), "MultiHeadSelfAttention", 7),
    "sa_layer_norm.weight": ((4,), "MultiHeadSelfAttention-Norm", 0),
    "sa_layer_norm.bias": ((4,), "MultiHeadSelfAttention-Norm", 1),
    "ffn.lin1.weight": ((6, 4), "FeedForward", 0),
    "ffn.lin1.bias": ((6,), "FeedForward", 1),
    "ffn.lin2.weight": ((4, 6), "FeedForward", 2),
    "ffn.lin2.bias": ((4,), "FeedForward", 3),
    "output_layer_norm.weight": ((4,), "FeedForward-Norm", 0),
    "output_layer_norm.bias": ((4,), "FeedForward-Norm", 1),
}
HEAD = {
    "vocab_transform.weight": ((4, 4), "MLM-Dense", 0),
    "vocab_transform.bias": ((4,), "MLM-Dense", 1),
    "vocab_layer_norm.weight": ((4,), "MLM-Norm", 0),
    "vocab_layer_norm.bias": ((4,), "MLM-Norm", 1),
    "vocab_projector.bias": ((11,), "MLM-Sim", 0),
}
TOKENS = np.array([[2, 5, 9, 6, 10], [2, 7, 3, 0, 0]], "int32")
# There is no table of segments: any number is as good as 0.
SEGMENTS = np.array([[0, 1, 77, -5, 3], [1] * 5], "int32")


def rows(head=True):
    """Name -> (shape, layer, index)."""
    found = {f"distilbert.{name}": row for name, row in ENCODER.items()}
    for number in (0, 1):
        for name, (shape, layer, index) in LAYER.items():
            row = (shape, f"Encoder-{number + 1}-{layer}", index)
            found[f"distilbert.transformer.layer.{number}.{name}"] = row
    return {**found, **(HEAD if head else {})}


def tensors_of(head=True, seed=0):
    random = np.random.default_rng(seed)
    return {
        name: random.normal(0, 0.5, shape).astype("float32")
        for name, (shape, _, _) in rows(head).items()
    }


def write(folder, tensors, prefix="distilbert.", **changes):
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}), "utf-8")
    without = len("distilbert.") if prefix == "" else 0
    save_file(
        {name[without:]: each for name, each in tensors.items()}, folder / "model.safetensors"
    )
    return folder / "config.json", folder / "model.safetensors"


def assert_holds(model, tensors):
    assert len(model.get_weights()) == len(tensors)
    for name, array in tensors.items():
        _, layer, index = rows()[name]
        if layer.endswith(("SelfAttention", "FeedForward", "Dense")):
            array = array.T  # PyTorch's Linear has its kernel the other way round
        assert np.array_equal(model.get_layer(layer).get_weights()[index], array), name


def encode(model):
    """What the model computes, in NumPy and from the weights that it holds."""
    bert = NumpyBert(model, activation=gelu_erf)
    bert.weights["Embedding-Segment"] = [np.zeros((1, 4))]
    return bert, bert.encode(TOKENS, np.zeros_like(TOKENS))


def test_the_weights_and_numbers_of_a_file(tmp_path):
    tensors = tensors_of()
    paths = write(tmp_path, tensors)
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7)
    assert_holds(model, tensors)
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=5)
    bert, encoded = encode(model)
    words = model.predict([TOKENS, SEGMENTS, np.ones_like(TOKENS)], verbose=0)
    assert np.allclose(words, bert.mlm(encoded), atol=1e-5, rtol=0)


def test_an_encoder_alone_has_no_prefix(tmp_path):
    tensors = tensors_of(head=False)
    model = load_trained_model_from_checkpoint(*write(tmp_path, tensors, prefix=""))
    assert_holds(model, tensors)


def test_segments_are_an_input_and_are_ignored(tmp_path):
    model = load_trained_model_from_checkpoint(*write(tmp_path, tensors_of()), seq_len=5)
    _, expected = encode(model)
    found = model.predict([TOKENS, SEGMENTS], verbose=0)
    assert np.allclose(found, expected, atol=1e-5, rtol=0)
    assert np.array_equal(found, model.predict([TOKENS, np.zeros_like(TOKENS)], verbose=0))


def test_a_file_without_a_head(tmp_path):
    tensors = tensors_of(head=False)
    paths = write(tmp_path, tensors)
    with pytest.raises(CheckpointError, match=r"vocab_transform\.weight(?s:.)*heads"):
        load_trained_model_from_checkpoint(*paths, training=True)
    model = load_trained_model_from_checkpoint(*paths, training=True, allow_missing_heads=True)
    assert tuple(model.output_shape) == (None, 7, 11)


@pytest.mark.slow
def test_the_head_s_table_may_stand_there_twice_and_must_not_differ(tmp_path):
    """As in files of PyTorch's, which hold tied weights twice."""
    tensors = tensors_of()
    words = tensors["distilbert.embeddings.word_embeddings.weight"]
    paths = write(tmp_path, {**tensors, "vocab_projector.weight": words.copy()})
    assert_holds(load_trained_model_from_checkpoint(*paths, training=True), tensors)
    paths = write(tmp_path, {**tensors, "vocab_projector.weight": words + 1})
    with pytest.raises(CheckpointError, match=r"vocab_projector\.weight.*differs"):
        load_trained_model_from_checkpoint(*paths, training=True)


def test_weights_into_a_model_of_the_configuration(tmp_path):
    tensors = tensors_of()
    paths = write(tmp_path, tensors)
    model, config = build_model_from_config(paths[0], training=True)
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    assert_holds(model, tensors)
    encoder = tensors_of(head=False, seed=1)
    paths = write(tmp_path, encoder)
    with pytest.raises(CheckpointError, match=r"vocab_transform\.weight"):
        load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    load_model_weights_from_checkpoint(
        model, config, paths[1], training=True, allow_missing_heads=True
    )
    assert_holds(model, {**tensors, **encoder})


def test_a_configuration_as_json_reads_it(tmp_path):
    tensors = tensors_of()
    paths = write(tmp_path, tensors)
    model, _ = build_model_from_config(paths[0], training=True)
    config = json.loads(Path(paths[0]).read_text("utf-8"))
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    assert_holds(model, tensors)


@pytest.mark.parametrize("sinusoidal", [True, False])
def test_positions_along_sines_are_in_the_file(tmp_path, sinusoidal):
    tensors = tensors_of(head=False)
    paths = write(tmp_path, tensors, sinusoidal_pos_embds=sinusoidal)
    assert_holds(load_trained_model_from_checkpoint(*paths), tensors)


@pytest.mark.parametrize("key", ["dim", "n_layers", "n_heads", "hidden_dim"])
@pytest.mark.parametrize("value", [0, "4", 10**12])
def test_messages_name_the_keys_of_the_file(tmp_path, key, value):
    paths = write(tmp_path, tensors_of(), **{key: value})
    with pytest.raises(ConfigError, match=f"`{key}` in .* positive.* Received: {value!r}"):
        load_trained_model_from_checkpoint(*paths)


def test_heads_that_do_not_divide_are_named_as_in_the_file(tmp_path):
    paths = write(tmp_path, tensors_of(), n_heads=3)
    with pytest.raises(ConfigError, match=r"`n_heads` must divide `dim`.* 3 and 4"):
        load_trained_model_from_checkpoint(*paths)


def test_sizes_that_do_not_fit_are_named_as_in_the_file(tmp_path):
    paths = write(tmp_path, tensors_of(), hidden_dim=8)
    with pytest.raises(CheckpointError, match="hidden_dim is 8, the file's 6"):
        load_trained_model_from_checkpoint(*paths)
    paths = write(tmp_path, tensors_of(), n_layers=10**9)
    with pytest.raises(ConfigError, match=f"`n_layers` .*{10**9}"):
        load_trained_model_from_checkpoint(*paths)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["DistilBertModel", "DistilBertForMaskedLM"])
def test_the_table_names_what_transformers_creates(name):
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' DistilBERT is made of PyTorch")
    model = getattr(transformers, name)(transformers.DistilBertConfig(**CONFIG))
    found = {key: tuple(value.shape) for key, value in model.named_parameters()}
    if name == "DistilBertModel":
        found = {f"distilbert.{key}": shape for key, shape in found.items()}
    has_head = name == "DistilBertForMaskedLM"
    assert found == {key: shape for key, (shape, _, _) in rows(has_head).items()}
    assert DISTILBERT.architecture(found) == name


def test_the_table_has_these_names():
    table = DISTILBERT.weights({"num_hidden_layers": 2}, training=True)
    assert {row.google for row in table} == {None}
    assert {row.huggingface: (row.layer, row.index) for row in table} == {
        name: where for name, (_, *where) in rows().items() for where in [tuple(where)]
    }


def test_arguments_of_the_model():
    config = {DISTILBERT.renamed_keys.get(key, key): value for key, value in CONFIG.items()}
    assert DISTILBERT.arguments(config) == {
        **{"token_num": 11, "pos_num": 7, "embed_dim": 4, "transformer_num": 2, "head_num": 2},
        **{"feed_forward_dim": 6, "segment_num": 0, "layer_norm_epsilon": 1e-12},
        "heads": ("MLM",),
    }
