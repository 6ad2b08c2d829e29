"""Which files of a model folder are which."""

import shutil
from pathlib import Path

import pytest
from checkpoint_files import DATA
from runtimes import once

from keras_bert import PretrainedList, get_checkpoint_paths

pytestmark = once


def names(folder):
    paths = get_checkpoint_paths(folder)
    assert all(Path(path).parent == Path(folder) for path in paths)
    return tuple(Path(path).name for path in paths)


def test_a_folder_that_does_not_exist_would_be_googles(tmp_path):
    assert names(str(tmp_path / "none")) == ("bert_config.json", "bert_model.ckpt", "vocab.txt")
    assert names(tmp_path) == ("bert_config.json", "bert_model.ckpt", "vocab.txt")


def test_the_fields_have_names(tmp_path):
    paths = get_checkpoint_paths(tmp_path)
    assert paths == (paths.config, paths.checkpoint, paths.vocab)


@pytest.mark.parametrize(
    ("files", "checkpoint"),
    [
        (["model.ckpt-1000000.index"], "model.ckpt-1000000"),
        (["bert_model.ckpt.index", "model.ckpt-7.index"], "bert_model.ckpt"),
        (["model.ckpt-5.index", "model.ckpt-7.index"], "bert_model.ckpt"),
    ],
)
def test_prefixes_of_google_folders(tmp_path, files, checkpoint):
    for name in ("bert_config.json", *files):
        (tmp_path / name).touch()
    assert names(tmp_path) == ("bert_config.json", checkpoint, "vocab.txt")


def test_files_of_hugging_face(tmp_path):
    for name in ("config.json", "pytorch_model.bin", "tokenizer.json"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ("config.json", "pytorch_model.bin", "tokenizer.json")
    for name in ("model.safetensors", "vocab.txt"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ("config.json", "model.safetensors", "vocab.txt")


@pytest.mark.parametrize("index", ["model.safetensors.index.json", "pytorch_model.bin.index.json"])
def test_files_in_several_parts(tmp_path, index):
    for name in ("config.json", index):
        (tmp_path / name).touch()
    assert names(tmp_path) == ("config.json", index, "vocab.txt")


def test_the_order_among_files_of_hugging_face(tmp_path):
    kinds = ["model.safetensors", "pytorch_model.bin"]
    order = [name for kind in kinds for name in (kind, f"{kind}.index.json")] + ["tf_model.h5"]
    (tmp_path / "config.json").touch()
    (tmp_path / "model.ckpt-7.index").touch()
    assert names(tmp_path)[1] == "model.ckpt-7"
    for name in reversed(order):
        (tmp_path / name).touch()
        assert names(tmp_path) == ("config.json", name, "vocab.txt")


def test_the_order_among_vocabularies(tmp_path):
    order = ["vocab.txt", "vocab_chinese.txt", "spiece.model", "30k-clean.model", "tokenizer.json"]
    for name in reversed(order):
        (tmp_path / name).touch()
        assert names(tmp_path)[2] == name
    (tmp_path / "vocab.txt").unlink()
    (tmp_path / "vocab.txt").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path)[2] == "vocab_chinese.txt"


@pytest.mark.parametrize(
    ("config", "checkpoint"),
    [
        ("albert_config.json", "model.ckpt-best"),
        ("albert_config_tiny.json", "albert_model.ckpt"),
        ("albert_config_base[1].json", "albert_model.ckpt"),
    ],
)
def test_folders_of_albert(tmp_path, config, checkpoint):
    folder = tmp_path / "albert[zh]*"  # which is no pattern here
    folder.mkdir()
    for name in (config, f"{checkpoint}.index", "other.ckpt.index", "30k-clean.model"):
        (folder / name).touch()
    assert names(folder) == (config, checkpoint, "30k-clean.model")
    (folder / "bert_config.json").touch()
    assert names(folder)[0] == "bert_config.json"


@pytest.mark.parametrize("vocab", ["assets/vocab.txt", "assets/30k-clean.model", "vocab.txt"])
def test_a_saved_model(tmp_path, vocab):
    for name in ("assets/x", "variables/variables.index", "saved_model.pb", vocab):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    checkpoint = str(tmp_path / "variables" / "variables")
    assert get_checkpoint_paths(tmp_path) == (None, checkpoint, str(tmp_path / vocab))
    (tmp_path / "bert_config.json").touch()
    assert get_checkpoint_paths(tmp_path).config == str(tmp_path / "bert_config.json")
    (tmp_path / "config.json").touch()
    (tmp_path / "bert_config.json").unlink()
    assert get_checkpoint_paths(tmp_path)[:2] == (str(tmp_path / "config.json"), checkpoint)


def test_an_object_based_checkpoint_needs_no_configuration(tmp_path):
    for file in DATA.glob("object_based.*"):
        shutil.copy(file, tmp_path)
    paths = get_checkpoint_paths(tmp_path)
    assert (paths.config, Path(paths.checkpoint).name) == (None, "object_based")
    (tmp_path / "bert_config.json").touch()
    assert names(tmp_path)[:2] == ("bert_config.json", "object_based")


def test_the_embedded_model():
    assert names(PretrainedList.tiny) == ("config.json", "model.safetensors", "vocab.txt")
