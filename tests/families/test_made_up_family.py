"""A further family takes one `Family`: nothing else in the package knows of it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from bert_tensors import google_tensors, huggingface_tensors
from checkpoint_files import assert_same
from command_line import run
from numpy_bert import NumpyBert
from numpy_functions import gelu_erf, gelu_tanh
from safetensors.numpy import save_file

from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint
from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.families import BERT, FAMILIES, register
from keras_bert.families.bert import bert_encoder
from keras_bert.families.family import table
from keras_bert.saving.conversion import (
    read_folder,
    write_google_folder,
    write_hugging_face_folder,
)
from keras_bert.saving.model_files import read_model_file, write_model_file

# A BERT under another prefix, with a table of languages, of which all texts are of the second.
CONFIG = {
    "vocab_size": 11,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "hidden_act": "gelu",
    "max_position_embeddings": 7,
    "type_vocab_size": 2,
    "language_num": 3,
}


def polyglot():
    embeddings, layer = bert_encoder("polyglot")
    languages = table("Embedding-Task", "polyglot/embeddings/language_embeddings")
    pooler = [
        replace(
            row,
            google=row.google.replace("bert/", "polyglot/"),
            huggingface=row.huggingface.replace("bert.", "polyglot."),
        )
        for row in BERT.heads["pooler"]
    ]
    return replace(
        BERT,
        name="Polyglot",
        model_type="polyglot",
        sizes={**BERT.sizes, "language_num": None},
        fixed=lambda config: {"model_type": "polyglot"},
        google_keys=(*BERT.google_keys, "language_num"),
        encoder=lambda config, depth: [
            *embeddings,
            languages,
            *(row.numbered(1 + number, number) for number in range(depth) for row in layer),
        ],
        heads={**BERT.heads, "pooler": tuple(pooler)},
        shapes={**BERT.shapes, "language_num": ("Embedding-Task", 0, 0)},
        prefix="polyglot.",
        inside=re.compile(r"(polyglot[./])?(embeddings|encoder[./]layer[._]\d+)[./](?P<rest>.+)"),
        arguments=lambda config: {
            **BERT.arguments(config),
            **{"use_task_embed": True, "task_num": config["language_num"], "fixed_task": 1},
        },
        architecture=lambda names: BERT.architecture(names).replace("Bert", "Polyglot"),
        own_keys=("language_num",),
        own_names=re.compile("polyglot/encoder/"),
        of_model=lambda weights, called: {} if "Embedding-Task" in weights else None,
    )


@pytest.fixture(autouse=True)
def family():
    family = polyglot()
    register(family)
    yield family
    FAMILIES.remove(family)


def tensors_of(naming, training=True):
    tensors = google_tensors(2, training)
    tensors = {name.replace("bert/", "polyglot/"): array for name, array in tensors.items()}
    languages = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    tensors["polyglot/embeddings/language_embeddings"] = languages
    return tensors if naming == "google" else huggingface_tensors(tensors)


def write(folder, naming, **changes):
    folder.mkdir()
    config = {**CONFIG, **changes}
    if naming == "google":
        (folder / "bert_config.json").write_text(json.dumps(config), "utf-8")
        write_tensor_bundle(folder / "bert_model.ckpt", tensors_of(naming))
    else:
        config["model_type"] = "polyglot"
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        save_file(tensors_of(naming), folder / "model.safetensors")
    return folder


every_naming = pytest.mark.parametrize("naming", ["google", "huggingface"])


@every_naming
def test_it_loads(tmp_path, naming):
    paths = get_checkpoint_paths(write(tmp_path / "model", naming))
    model = load_trained_model_from_checkpoint(*paths[:2], training=True, seq_len=5)
    bert = NumpyBert(model, activation=gelu_tanh if naming == "google" else gelu_erf)
    tokens = np.array([[2, 5, 9, 6, 10], [2, 7, 3, 0, 0]], "int32")
    segments = np.array([[0, 0, 1, 1, 1], [0] * 5], "int32")
    encoded = bert.encode(tokens, segments, tasks=1)
    words, sentence = model.predict([tokens, segments, np.ones_like(tokens)], verbose=0)
    assert np.allclose(words, bert.mlm(encoded), atol=1e-5, rtol=0)
    assert np.allclose(sentence, bert.nsp(encoded), atol=1e-5, rtol=0)
    languages = tensors_of("google")["polyglot/embeddings/language_embeddings"]
    assert np.array_equal(model.get_layer("Embedding-Task").get_weights()[0], languages)


@every_naming
def test_it_is_converted_both_ways(tmp_path, naming):
    source = write(tmp_path / "source", naming, hidden_act="relu")  # which both kinds know
    writers = {"google": write_google_folder, "huggingface": write_hugging_face_folder}
    (other,) = writers.keys() - {naming}
    assert writers[other](tmp_path / "other", read_folder(source)) == []
    assert writers[naming](tmp_path / "again", read_folder(tmp_path / "other")) == []
    for folder, expected in (("other", other), ("again", naming)):
        with open_checkpoint(get_checkpoint_paths(tmp_path / folder).checkpoint) as checkpoint:
            assert_same(dict(checkpoint), tensors_of(expected))
    written = json.loads(
        (tmp_path / ("other" if naming == "google" else "again"))
        .joinpath("config.json")
        .read_text("utf-8")
    )
    assert written["model_type"] == "polyglot"
    assert written["language_num"] == 3
    assert written["architectures"] == ["PolyglotForPreTraining"]


def test_a_keras_file_of_it_becomes_a_folder_again(tmp_path, family):
    assert write_model_file(tmp_path / "model.keras", write(tmp_path / "source", "google")) == []
    files = read_model_file(tmp_path / "model.keras", None, False)
    assert files.family is family
    assert files.config["language_num"] == 3
    assert_same(files.tensors("huggingface"), tensors_of("huggingface"))


@every_naming
def test_info_names_it(tmp_path, naming, capsys, monkeypatch):
    folder = write(tmp_path / "model", naming)
    code, out, err = run(capsys, monkeypatch, "info", folder)
    assert (code, err) == (0, "")
    assert "Polyglot, 2 layers of 4" in out
    code, out, _ = run(capsys, monkeypatch, "info", folder, "--json")
    assert json.loads(out)["family"] == "Polyglot"


def test_its_sizes_are_held_against_the_file(tmp_path):
    paths = get_checkpoint_paths(write(tmp_path / "model", "google", language_num=4))
    with pytest.raises(CheckpointError, match="language_num is 4, the file's 3"):
        load_trained_model_from_checkpoint(*paths[:2])


def test_a_model_type_is_of_one_family(family):
    with pytest.raises(ValueError, match=r"Polyglot has it\. Received: 'polyglot'"):
        register(polyglot())
    assert FAMILIES.count(family) == 1


def test_what_is_refused_by_name_may_be_registered(tmp_path):
    """Someone may have it built in a way of their own."""
    paths = get_checkpoint_paths(write(tmp_path / "model", "huggingface"))
    config = {**CONFIG, "model_type": "roformer"}
    with open(paths.config, "w", encoding="utf-8") as writer:
        json.dump(config, writer)
    with pytest.raises(ValueError, match="RoFormer"):
        load_trained_model_from_checkpoint(*paths[:2])
    own = replace(
        polyglot(), model_type="roformer", fixed=lambda config: {"model_type": "roformer"}
    )
    register(own)
    try:
        load_trained_model_from_checkpoint(*paths[:2])
    finally:
        FAMILIES.remove(own)
