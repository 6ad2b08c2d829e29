"""Saved Keras models and the folders that hold the same numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import is_same
from model_folders import (
    CONFIG,
    WORDS,
    random_weights,
    with_untrained_head,
    write_google_folder,
)
from safetensors.numpy import load_file

from keras_bert import (
    VocabularyChange,
    build_model_from_config,
    get_custom_objects,
    get_model,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import layers, models
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families.weights import to_checkpoint
from keras_bert.saving.conversion import write_hugging_face_folder
from keras_bert.saving.model_files import read_model_file, write_model_file

DATA = Path(__file__).parents[1] / "data"
VOCABULARY = {word: index for index, word in enumerate(WORDS)}


@pytest.fixture
def google(tmp_path):
    write_google_folder(tmp_path / "google")
    return tmp_path / "google"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("training", [False, True])
def test_what_a_model_file_holds(tmp_path, google, suffix, training):
    model = load_trained_model_from_checkpoint(
        google / "bert_config.json", google / "bert_model.ckpt", training=training
    )
    model.save(tmp_path / f"model{suffix}")
    files = read_model_file(tmp_path / f"model{suffix}", VOCABULARY, cased=True)
    assert files.config.items() >= {**CONFIG, "hidden_act": "gelu_tanh"}.items()
    assert files.config["hidden_dropout_prob"] == 0.1
    assert (files.vocabulary, files.cased, files.left_out) == (VOCABULARY, True, [])
    tensors = files.tensors("google")
    expected = to_checkpoint(random_weights(), "google")
    if not training:
        expected = {
            name: array
            for name, array in expected.items()
            if not name.startswith(("cls", "bert/pooler"))
        }
    assert tensors.keys() == expected.keys()
    assert all(is_same(tensors[name], expected[name]) for name in expected)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("activation", "name"),
    [("gelu", "gelu_tanh"), ("gelu_new", "gelu_tanh"), ("gelu_erf", "gelu_erf"), ("relu", "relu")],
)
def test_the_activation_by_one_name(tmp_path, google, activation, name):
    model, _ = build_model_from_config(
        google / "bert_config.json", feed_forward_activation=activation, layer_norm_epsilon=1e-5
    )
    model.save(tmp_path / "model.keras")
    config = read_model_file(tmp_path / "model.keras", None, cased=False).config
    assert config["hidden_act"] == name
    assert config["layer_norm_eps"] == pytest.approx(1e-5)


def test_models_of_another_kind(tmp_path, google):
    model, _ = build_model_from_config(google / "bert_config.json")
    output = layers.Dense(2, name="classes")(model.outputs[0])
    models.Model(model.inputs, output).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"(?s)is another model than.*classes \(2 instead of 0"):
        read_model_file(tmp_path / "own.keras", None, cased=False)


def test_what_a_checkpoint_cannot_hold(tmp_path):
    inputs, output = get_model(
        token_num=30,
        embed_dim=12,
        head_num=3,
        feed_forward_dim=20,
        transformer_num=1,
        training=False,
        attention_activation="relu",
    )
    models.Model(inputs, output).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"`attention_activation`\. Received: a model with relu"):
        read_model_file(tmp_path / "model.keras", None, cased=False)


def load(path):
    return models.load_model(path, custom_objects=get_custom_objects())


def test_a_folder_becomes_a_model_of_any_length(tmp_path, google):
    path = tmp_path / "new" / "model.keras"
    assert write_model_file(path, google) == []
    assert [each.name for each in path.parent.iterdir()] == ["model.keras"]
    model = load(path)
    assert list(model.output_shape) == [(None, None, 30), (None, 2)]
    for layer, arrays in random_weights().items():
        for ours, array in zip(model.get_layer(layer).get_weights(), arrays, strict=True):
            np.testing.assert_array_equal(ours, array, err_msg=layer)


@pytest.mark.parametrize(
    "name", ["albert", "distilbert", "electra-encoder", "ernie", "ernie-tasks"]
)
def test_a_relative_is_of_its_family_behind_a_model_file(tmp_path, name):
    # ERNIE without tasks has BERT's layers.
    folder = DATA / "relatives" / name
    assert write_model_file(tmp_path / "model.keras", folder) == []
    vocabulary = load_vocabulary(folder / "vocab.txt")
    write_hugging_face_folder(
        tmp_path / "back", read_model_file(tmp_path / "model.keras", vocabulary, cased=False)
    )
    before, after = (load_file(each / "model.safetensors") for each in (folder, tmp_path / "back"))
    assert before.keys() == after.keys()
    assert [key for key in before if not is_same(before[key], after[key])] == []
    config = json.loads((tmp_path / "back" / "config.json").read_text("utf-8"))
    assert (
        config["model_type"]
        == json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
    )


def test_a_head_that_was_never_trained_is_converted_as_any_other(tmp_path, google):
    tensors = to_checkpoint(with_untrained_head(random_weights()), "google")
    write_tensor_bundle(google / "bert_model.ckpt", tensors)
    assert write_model_file(tmp_path / "model.keras", google) == []


def test_heads_are_all_there_or_none_and_what_is_lost_is_named(tmp_path, google):
    tensors = to_checkpoint(random_weights(), "google")
    kept = {name: array for name, array in tensors.items() if "seq_relationship" not in name}
    write_tensor_bundle(google / "bert_model.ckpt", kept)
    lost = write_model_file(tmp_path / "model.keras", google)
    assert sorted(lost) == sorted(
        name for name in kept if name.startswith(("cls/", "bert/pooler/"))
    )
    assert load(tmp_path / "model.keras").output_shape == (None, None, 12)


def test_a_file_with_another_vocabulary(tmp_path, google):
    change = VocabularyChange(VOCABULARY, keep=["b"])
    write_model_file(tmp_path / "model.keras", google, change)
    table = load(tmp_path / "model.keras").get_layer("Embedding-Token").get_weights()[0]
    kept = [VOCABULARY[word] for word in (*WORDS[:5], "b")]
    np.testing.assert_array_equal(table, random_weights()["Embedding-Token"][0][kept])


def test_nothing_is_written_over(tmp_path, google):
    (tmp_path / "model.keras").touch()
    with pytest.raises(FileExistsError, match="is there already"):
        write_model_file(tmp_path / "model.keras", google)


def test_an_error_of_hdf5_leaves_no_file(tmp_path, google, monkeypatch):
    def save(self, path):
        path.write_text("half of it")
        raise RuntimeError("Can't decrement id ref count (file write failed)")

    monkeypatch.setattr(models.Model, "save", save)
    with pytest.raises(OSError, match=r"model\.keras could not be written: Can't decrement"):
        write_model_file(tmp_path / "model.keras", google)
    assert [path.name for path in tmp_path.iterdir()] == ["google"]


def test_a_folder_that_does_not_load_leaves_no_file(tmp_path, google):
    (google / "bert_config.json").write_text(json.dumps({**CONFIG, "vocab_size": 31}))
    with pytest.raises(ValueError, match="vocab_size is 31"):
        write_model_file(tmp_path / "model.keras", google)
    assert [path.name for path in tmp_path.iterdir()] == ["google"]
