"""ELECTRA's discriminators, from files whose names are written down here once more."""

import json

import numpy as np
import pytest
from bert_tensors import expected_rows
from numpy_functions import gelu_erf, gelu_tanh
from safetensors.numpy import save_file

from keras_bert import (
    build_model_from_config,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.checkpoints import CheckpointError, write_tensor_bundle
from keras_bert.families import ELECTRA

CONFIG = {
    "vocab_size": 11,
    "embedding_size": 3,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "hidden_act": "gelu",
    "max_position_embeddings": 7,
    "type_vocab_size": 2,
}
# What google-research/electra creates beside BERT's names: name, shape, layer and index, name in
# files of Hugging Face's.
PROJECTION = [
    ("electra/embeddings_project/kernel", (3, 4), "Embedding-Mapping", 0),
    ("electra/embeddings_project/bias", (4,), "Embedding-Mapping", 1),
]
HEAD = [
    ("discriminator_predictions/dense/kernel", (4, 4), "RTD-Dense", 0),
    ("discriminator_predictions/dense/bias", (4,), "RTD-Dense", 1),
    ("discriminator_predictions/dense_1/kernel", (4, 1), "RTD", 0),
    ("discriminator_predictions/dense_1/bias", (1,), "RTD", 1),
]
TOKENS = np.array([[2, 5, 9, 6, 10], [2, 7, 3, 0, 0]], "int32")
SEGMENTS = np.array([[0, 0, 1, 1, 1], [0] * 5], "int32")


def rows(size=3, head=True):
    """List (Google's name, shape, layer, index) for embeddings of a size."""
    found = []
    for name, shape, layer, index in expected_rows(2, training=False):
        if layer.startswith("Embedding-"):
            shape = (*shape[:-1], size)
        found.append((name.replace("bert/", "electra/"), shape, layer, index))
    return found + (PROJECTION if size != 4 else []) + (HEAD if head else [])


def in_hugging_face(name):
    for old, new in [
        *(("layer_", "layer."), ("/", "."), ("kernel", "weight"), ("gamma", "weight")),
        *(("beta", "bias"), ("dense_1", "dense_prediction")),
    ]:
        name = name.replace(old, new)
    return f"{name}.weight" if name.endswith("_embeddings") else name


def tensors_of(rows, seed=0):
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.5, shape).astype("float32") for name, shape, _, _ in rows}


def write(folder, naming, tensors, prefix="electra.", **changes):
    config = {**CONFIG, **changes}
    if naming == "google":
        checkpoint = folder / "electra_small"
        write_tensor_bundle(checkpoint, tensors)
    else:
        config["model_type"] = "electra"
        checkpoint = folder / "model.safetensors"
        renamed = {
            in_hugging_face(name): array.T if name.endswith("kernel") else array
            for name, array in tensors.items()
        }
        without = len("electra.") if prefix == "" else 0
        save_file(
            {name[without:]: np.ascontiguousarray(each) for name, each in renamed.items()},
            checkpoint,
        )
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder / "config.json", checkpoint


def assert_holds(model, rows, tensors):
    held = {layer.name for layer in model.layers if layer.weights}
    assert held == {layer for _, _, layer, _ in rows}
    for name, _, layer, index in rows:
        assert np.array_equal(model.get_layer(layer).get_weights()[index], tensors[name]), name


every_naming = pytest.mark.parametrize("naming", ["google", "huggingface"])


@every_naming
@pytest.mark.parametrize("size", [3, 4])
def test_the_weights_of_a_file(tmp_path, naming, size):
    """With a layer between embeddings and encoder where their sizes differ."""
    tensors = tensors_of(rows(size))
    paths = write(tmp_path, naming, tensors, embedding_size=size)
    assert_holds(load_trained_model_from_checkpoint(*paths), rows(size, head=False), tensors)
    model = load_trained_model_from_checkpoint(*paths, training=True)
    assert_holds(model, rows(size), tensors)
    assert len(model.inputs) == 2


@pytest.mark.parametrize("size", [3, 4])
def test_an_encoder_alone_has_no_prefix(tmp_path, size):
    tensors = tensors_of(rows(size, head=False))
    paths = write(tmp_path, "huggingface", tensors, prefix="", embedding_size=size)
    assert_holds(load_trained_model_from_checkpoint(*paths), rows(size, head=False), tensors)


def test_the_generator_and_slots_are_ignored(tmp_path):
    """Google's files of pretraining hold both models, and Adam's moments of either."""
    tensors = tensors_of(rows())
    others = [
        *(name.replace("electra/", "generator/") for name in tensors if "/encoder/" in name),
        *("generator/embeddings_project/kernel", "generator/embeddings_project/bias"),
        *("generator_predictions/dense/kernel", "generator_predictions/output_bias"),
        *(f"{name}/adam_{moment}" for name in tensors for moment in "mv"),
        *("global_step", "electra/pooler/dense/kernel", "electra/pooler/dense/bias"),
    ]
    more = {**tensors, **{name: np.full((3,), 9, "float32") for name in others}}
    paths = write(tmp_path, "google", more)
    model = load_trained_model_from_checkpoint(*paths, training=True)
    assert_holds(model, rows(), tensors)


@pytest.mark.sampled(1)
@every_naming
def test_the_probability_of_each_token_to_be_replaced(tmp_path, naming):
    tensors = tensors_of(rows())
    paths = write(tmp_path, naming, tensors)
    arrays = [TOKENS, SEGMENTS]
    features = load_trained_model_from_checkpoint(*paths, seq_len=5).predict(arrays, verbose=0)
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=5)
    gelu = gelu_tanh if naming == "google" else gelu_erf
    kernel, bias, last, last_bias = (tensors[name] for name, _, _, _ in HEAD)
    logits = gelu(features.astype("float64") @ kernel + bias) @ last + last_bias
    expected = 1 / (1 + np.exp(-logits[:, :, 0]))
    assert np.allclose(model.predict(arrays, verbose=0), expected, atol=1e-6, rtol=0)


@every_naming
def test_a_file_without_a_head(tmp_path, naming):
    tensors = tensors_of(rows(head=False))
    paths = write(tmp_path, naming, tensors)
    with pytest.raises(CheckpointError, match=r"discriminator_predictions[./]dense(?s:.)*heads"):
        load_trained_model_from_checkpoint(*paths, training=True)
    model = load_trained_model_from_checkpoint(*paths, training=True, allow_missing_heads=True)
    assert tuple(model.output_shape) == (None, 7)
    for name, _, layer, index in rows(head=False):
        assert np.array_equal(model.get_layer(layer).get_weights()[index], tensors[name])


@pytest.mark.slow
def test_weights_into_a_model_of_the_configuration(tmp_path):
    tensors = tensors_of(rows())
    paths = write(tmp_path, "huggingface", tensors)
    model, config = build_model_from_config(paths[0], training=True, seq_len=5)
    assert config["max_position_embeddings"] == 5
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    tensors["electra/embeddings/position_embeddings"] = tensors[
        "electra/embeddings/position_embeddings"
    ][:5]
    assert_holds(model, rows(), tensors)
    encoder = tensors_of(rows(head=False), seed=1)
    paths = write(tmp_path, "huggingface", encoder)
    with pytest.raises(CheckpointError, match="discriminator_predictions"):
        load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    load_model_weights_from_checkpoint(
        model, config, paths[1], training=True, allow_missing_heads=True
    )
    for name, _, layer, index in HEAD:
        assert np.array_equal(model.get_layer(layer).get_weights()[index], tensors[name])
    norm = "electra/embeddings/LayerNorm/gamma"
    assert np.array_equal(model.get_layer("Embedding-Norm").get_weights()[0], encoder[norm])


@pytest.mark.parametrize("size", [3, 4])
def test_the_table_has_these_names(size):
    table = ELECTRA.weights({**CONFIG, "embedding_size": size}, training=True)
    assert {(row.google, row.layer, row.index, row.huggingface) for row in table} == {
        (name, layer, index, in_hugging_face(name)) for name, _, layer, index in rows(size)
    }


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 4])
@pytest.mark.parametrize("name", ["ElectraModel", "ElectraForPreTraining"])
def test_the_table_names_what_transformers_creates(name, size):
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' ELECTRA is made of PyTorch")
    config = {**CONFIG, "embedding_size": size}
    model = getattr(transformers, name)(transformers.ElectraConfig(**config))
    found = {key: tuple(value.shape) for key, value in model.named_parameters()}
    if name == "ElectraModel":
        found = {f"electra.{key}": shape for key, shape in found.items()}
    table = {
        row.huggingface: row for row in ELECTRA.weights(config, name == "ElectraForPreTraining")
    }
    shapes = {(layer, index): shape for _, shape, layer, index in rows(size)}
    assert found == {
        key: shapes[row.layer, row.index][:: -1 if row.huggingface_transform else 1]
        for key, row in table.items()
    }
    assert ELECTRA.architecture(found) == name


def test_arguments_of_the_model():
    assert ELECTRA.arguments(CONFIG) == {
        **{"token_num": 11, "pos_num": 7, "embed_dim": 4, "transformer_num": 2, "head_num": 2},
        **{"feed_forward_dim": 6, "segment_num": 2, "layer_norm_epsilon": 1e-12},
        **{"embedding_size": 3, "heads": ("RTD",)},
    }
    assert ELECTRA.arguments({**CONFIG, "embedding_size": 4})["embedding_size"] is None
