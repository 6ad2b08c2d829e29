"""ERNIE in Hugging Face's files: BERT, and a table of tasks of which one row counts."""

import json

import numpy as np
import pytest
from bert_tensors import expected_rows, google_tensors, huggingface_tensors
from numpy_bert import NumpyBert
from numpy_functions import gelu_erf
from safetensors.numpy import save_file

from keras_bert import (
    build_model_from_config,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import ERNIE

CONFIG = {
    "model_type": "ernie",
    "vocab_size": 11,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "hidden_act": "gelu",
    "max_position_embeddings": 7,
    "type_vocab_size": 4,
    "use_task_id": True,
    "task_type_vocab_size": 3,
}
TASKS = "ernie.embeddings.task_type_embeddings.weight"
TYPES = "ernie.embeddings.token_type_embeddings.weight"
TOKENS = np.array([[2, 5, 9, 6, 10], [2, 7, 3, 0, 0]], "int32")
SEGMENTS = np.array([[0, 1, 2, 3, 3], [0] * 5], "int32")


def tensors_of(without=(), tasks=True):
    tensors = huggingface_tensors(google_tensors(2, training=True))
    tensors = {name.replace("bert.", "ernie."): array for name, array in tensors.items()}
    random = np.random.default_rng(0)
    tensors[TYPES] = random.normal(size=(4, 4)).astype("float32")
    if tasks:
        tensors[TASKS] = random.normal(size=(3, 4)).astype("float32")
    return {name: array for name, array in tensors.items() if not name.startswith(without)}


def write(folder, tensors, prefix="ernie.", **changes):
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}), "utf-8")
    without = len("ernie.") if prefix == "" else 0
    save_file(
        {name[without:]: each for name, each in tensors.items()}, folder / "model.safetensors"
    )
    return folder / "config.json", folder / "model.safetensors"


def encode(model, tasks=None):
    """What the model computes, in NumPy and from the weights that it holds."""
    bert = NumpyBert(model, activation=gelu_erf)
    return bert, bert.encode(TOKENS, SEGMENTS, tasks)


def test_the_first_task_is_added_to_every_token(tmp_path):
    model = load_trained_model_from_checkpoint(*write(tmp_path, tensors_of()), seq_len=5)
    assert len(model.inputs) == 2
    assert np.array_equal(model.get_layer("Embedding-Task").get_weights()[0], tensors_of()[TASKS])
    _, expected = encode(model, tasks=0)
    assert np.allclose(model.predict([TOKENS, SEGMENTS], verbose=0), expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_task_of_each_text(tmp_path):
    paths = write(tmp_path, tensors_of())
    model = load_trained_model_from_checkpoint(*paths, seq_len=5, fixed_task=None)
    tasks = np.array([[2], [1]], "int32")
    _, expected = encode(model, tasks)
    found = model.predict([TOKENS, SEGMENTS, tasks], verbose=0)
    assert [each.name.split(":")[0] for each in model.inputs][2] == "Input-Task"
    assert np.allclose(found, expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_another_task_of_all_texts(tmp_path):
    paths = write(tmp_path, tensors_of())
    model = load_trained_model_from_checkpoint(*paths, seq_len=5, fixed_task=2)
    _, expected = encode(model, tasks=2)
    assert np.allclose(model.predict([TOKENS, SEGMENTS], verbose=0), expected, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=r"`fixed_task`.*fixed_task=3"):
        load_trained_model_from_checkpoint(*paths, fixed_task=3)


def test_without_tasks(tmp_path):
    """As ERNIE 1.0's, whose configuration has no `use_task_id`, and an encoder without prefix."""
    without = tensors_of(("cls.", "ernie.pooler"), tasks=False)
    paths = write(tmp_path, without, prefix="", use_task_id=False)
    model = load_trained_model_from_checkpoint(*paths, seq_len=5)
    assert all(layer.name != "Embedding-Task" for layer in model.layers)
    _, expected = encode(model)
    assert np.allclose(model.predict([TOKENS, SEGMENTS], verbose=0), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tasks", [True, False])
def test_a_table_of_tasks_that_the_configuration_does_not_know(tmp_path, tasks):
    """Or the reverse: numbers would be wrong without a word."""
    paths = write(tmp_path, tensors_of(tasks=tasks), use_task_id=not tasks)
    with pytest.raises(CheckpointError, match=r"embeddings\.task_type_embeddings"):
        load_trained_model_from_checkpoint(*paths)


@pytest.mark.slow
def test_both_heads(tmp_path):
    model = load_trained_model_from_checkpoint(
        *write(tmp_path, tensors_of()), training=True, seq_len=5
    )
    bert, encoded = encode(model, tasks=0)
    words, sentence = model.predict([TOKENS, SEGMENTS, np.ones_like(TOKENS)], verbose=0)
    assert np.allclose(words, bert.mlm(encoded), atol=1e-5, rtol=0)
    assert np.allclose(sentence, bert.nsp(encoded), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_file_of_masked_words_alone(tmp_path):
    tensors = tensors_of(("cls.seq_relationship", "ernie.pooler"))
    paths = write(tmp_path, tensors)
    arrays = [TOKENS, SEGMENTS, np.ones_like(TOKENS)]
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=5)
    bert, encoded = encode(model, tasks=0)
    words = model.predict(arrays, verbose=0)
    assert np.allclose(words, bert.mlm(encoded), atol=1e-5, rtol=0)
    model = load_trained_model_from_checkpoint(
        *paths, training=True, seq_len=5, allow_missing_heads=True
    )
    again, _ = model.predict(arrays, verbose=0)
    assert np.array_equal(again, words)


def test_weights_into_a_model_of_the_configuration(tmp_path):
    paths = write(tmp_path, tensors_of())
    model, config = build_model_from_config(paths[0], training=True, seq_len=5)
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    loaded = load_trained_model_from_checkpoint(*paths, training=True, seq_len=5)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(one, other)
    paths = write(tmp_path, tensors_of(("cls.seq_relationship", "ernie.pooler")))
    with pytest.raises(CheckpointError, match=r"cls\.seq_relationship"):
        load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    load_model_weights_from_checkpoint(
        model, config, paths[1], training=True, allow_missing_heads=True
    )


def test_the_table_has_bert_s_names_under_another_prefix():
    names = {name for name, _, _, _ in expected_rows(2, training=True)}
    table = ERNIE.weights(CONFIG, training=True)
    assert {row.google for row in table} == {None}
    assert {row.huggingface for row in table} == tensors_of().keys()
    assert len(table) == len(names) + 1


@pytest.mark.slow
@pytest.mark.parametrize("tasks", [True, False])
@pytest.mark.parametrize("name", ["ErnieModel", "ErnieForMaskedLM", "ErnieForPreTraining"])
def test_the_table_names_what_transformers_creates(name, tasks):
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' ERNIE is made of PyTorch")
    config = {**CONFIG, "use_task_id": tasks}
    model = getattr(transformers, name)(transformers.ErnieConfig(**config))
    heads = {
        "ErnieModel": ["pooler"],
        "ErnieForMaskedLM": ["masked words"],
        "ErnieForPreTraining": ["pooler", "masked words", "next sentence"],
    }[name]
    rows = ERNIE.encoder(config, 2) + [row for head in heads for row in ERNIE.heads[head]]
    shapes = {key: each.shape for key, each in tensors_of().items()}
    found = {key: tuple(value.shape) for key, value in model.named_parameters()}
    if name == "ErnieModel":
        found = {f"ernie.{key}": shape for key, shape in found.items()}
    assert found == {row.huggingface: shapes[row.huggingface] for row in rows}
    assert ERNIE.architecture(found) == name


def test_arguments_of_the_model():
    sizes = {
        **{"token_num": 11, "pos_num": 7, "embed_dim": 4, "transformer_num": 2, "head_num": 2},
        **{"feed_forward_dim": 6, "segment_num": 4, "layer_norm_epsilon": 1e-12},
    }
    tasks = {"use_task_embed": True, "task_num": 3, "fixed_task": 0}
    assert ERNIE.arguments(CONFIG) == {**sizes, **tasks}
    assert ERNIE.arguments({**CONFIG, "use_task_id": False}) == sizes
