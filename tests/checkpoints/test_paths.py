"""Which files of a model folder are which."""

from pathlib import Path

import pytest

from keras_bert import PretrainedList, get_checkpoint_paths


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


def test_the_embedded_model():
    assert names(PretrainedList.tiny) == ("config.json", "model.safetensors", "vocab.txt")
