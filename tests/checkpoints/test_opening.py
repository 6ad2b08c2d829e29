"""Which file is opened for which path, and what is said when there is none."""

import json
import os
import pickle
import shutil
from pathlib import Path
from pipes import make_pipe, refused

import numpy as np
import pytest
from checkpoint_files import BUNDLE, DATA, STATE, assert_holds, numbers
from runtimes import once
from safetensors.numpy import save_file

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle

pytestmark = once


@pytest.fixture
def bundle(tmp_path):
    write_tensor_bundle(tmp_path / "model.ckpt-1000000", BUNDLE, num_shards=2)
    (tmp_path / "model.ckpt-1000000.meta").write_bytes(b"graph")
    return tmp_path / "model.ckpt-1000000"


@pytest.mark.parametrize(
    "ending", ["", ".index", ".data-00000-of-00002", ".data-00001-of-00002", ".meta"]
)
def test_any_file_of_a_tensorflow_checkpoint_stands_for_it(bundle, ending):
    checkpoint = open_checkpoint(f"{bundle}{ending}")
    assert checkpoint.path == bundle
    assert_holds(checkpoint, BUNDLE)


def test_paths_may_be_relative_and_of_either_kind(bundle, monkeypatch):
    monkeypatch.chdir(bundle.parent)
    for path in (bundle.name, Path(bundle.name), f"./{bundle.name}", str(bundle)):
        assert_holds(open_checkpoint(path), BUNDLE)


@pytest.mark.parametrize("name", ["weights", "weights.pt", "weights.ckpt", "weights.safetensors"])
def test_content_decides_not_the_name(tmp_path, name):
    for source in ("zip.bin", "legacy.bin"):
        shutil.copyfile(DATA / source, tmp_path / name)
        assert_holds(open_checkpoint(tmp_path / name), STATE)
    save_file({"a": numbers(3)}, tmp_path / name)
    assert_holds(open_checkpoint(tmp_path / name), {"a": numbers(3)})


def test_a_missing_file_is_answered_with_what_the_folder_holds(tmp_path):
    for name in ["vocab.txt", "bert_config.json"]:
        (tmp_path / name).touch()
    (tmp_path / "variables").mkdir()
    with pytest.raises(
        FileNotFoundError,
        match=r"There is no checkpoint .*bert_model\.ckpt\. The folder .* holds "
        r"bert_config\.json, variables/, vocab\.txt\.$",
    ):
        open_checkpoint(tmp_path / "bert_model.ckpt")


def test_a_long_folder_is_abridged(tmp_path):
    for number in range(100):
        (tmp_path / f"file{number:02}").touch()
    with pytest.raises(FileNotFoundError, match=r"holds file00, .*, file11, 88 more\.$"):
        open_checkpoint(tmp_path / "bert_model.ckpt")


def test_a_missing_folder_is_answered_with_the_nearest_there_is(tmp_path):
    (tmp_path / "uncased").mkdir()
    with pytest.raises(FileNotFoundError, match=r"cased does not exist\. .* holds uncased/\.$"):
        open_checkpoint(tmp_path / "cased" / "bert_model.ckpt")


def test_a_missing_index_is_named(bundle):
    Path(f"{bundle}.index").unlink()
    for ending in ["", ".index"]:
        with pytest.raises(FileNotFoundError, match=r"model\.ckpt-1000000 the \.index file is mis"):
            open_checkpoint(f"{bundle}{ending}")


def test_a_folder_is_no_checkpoint(bundle):
    with pytest.raises(IsADirectoryError, match=r"It holds .*model\.ckpt-1000000\.index"):
        open_checkpoint(bundle.parent)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged, or no HDF5 file"),
        (b"\x1f\x8b\x08" + bytes(100), "gzip archive: unpack it"),
        (b'model_checkpoint_path: "model.ckpt"', "which checkpoint is the latest"),
        (b"[PAD]\n[UNK]\n", r"no checkpoint of a known kind.*\[PAD\]"),
        (pickle.dumps({"a": 1}, 2), "a pickle but not one that torch.save wrote"),
    ],
)
@pytest.mark.parametrize("name", ["weights", "pytorch_model"])
def test_other_files_are_told_apart(tmp_path, content, message, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / name)


@pytest.mark.parametrize("name", ["a.bin", "model.safetensors.index.json"])
def test_a_pipe_is_refused_at_once(tmp_path, name):
    with refused():
        open_checkpoint(make_pipe(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_an_unreadable_file_is_an_os_error(tmp_path):
    shutil.copyfile(DATA / "zip.bin", tmp_path / "model.bin")
    (tmp_path / "model.bin").chmod(0)
    with pytest.raises(PermissionError):
        open_checkpoint(tmp_path / "model.bin")


# Checkpoints split into several files, with an index in JSON.

PARTS = {
    "model-00001-of-00002.safetensors": {"a": numbers(3), "b": numbers(2, 2)},
    "model-00002-of-00002.safetensors": {"c": np.arange(4)},
}
WEIGHT_MAP = {name: file for file, tensors in PARTS.items() for name in tensors}


@pytest.fixture
def split(tmp_path):
    for file, tensors in PARTS.items():
        save_file(tensors, tmp_path / file)
    index = {"metadata": {"total_size": 60}, "weight_map": WEIGHT_MAP}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path / "model.safetensors.index.json"


def test_split_safetensors(split):
    checkpoint = open_checkpoint(split)
    assert checkpoint.format == "safetensors"
    assert checkpoint.path == split
    assert_holds(checkpoint, {name: a for part in PARTS.values() for name, a in part.items()})


def test_split_pytorch_files(tmp_path):
    shutil.copyfile(DATA / "zip.bin", tmp_path / "pytorch_model-00001-of-00002.bin")
    shutil.copyfile(DATA / "nested.pt", tmp_path / "pytorch_model-00002-of-00002.bin")
    names = dict.fromkeys(STATE, "pytorch_model-00001-of-00002.bin")
    names |= {f"model.{name}": "pytorch_model-00002-of-00002.bin" for name in STATE}
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": names}))
    checkpoint = open_checkpoint(index)
    assert checkpoint.format == "torch"
    assert_holds(checkpoint, STATE | {f"model.{name}": array for name, array in STATE.items()})


def test_a_part_that_is_a_pipe(split):
    make_pipe(split.with_name("model-00002-of-00002.safetensors"))
    with refused():
        open_checkpoint(split)


def test_a_missing_part(split):
    split.with_name("model-00002-of-00002.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model-00002-of-00002\.safetensors.*is part of"):
        open_checkpoint(split)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "no 'weight_map'"),
        ('{"hidden_size": 8}', "If it is a configuration, pass the checkpoint itself"),
        ('{"weight_map": []}', "no 'weight_map'"),
        ('{"weight_map": {}}', "no 'weight_map'"),
        ('{"weight_map": {"a": 1}}', "refers to 1"),
        ('{"weight_map": {"a": "../model-00001-of-00002.safetensors"}}', "no name of a file"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "no name of a file"),
        ('{"weight_map": {"a": ".."}}', "no name of a file"),
        ('{"weight_map": {"a": ""}}', "no name of a file"),
        ('{"weight_map": {"x": "model-00001-of-00002.safetensors"}}', r"1 tensors .*not in .*x"),
    ],
)
def test_index_files_that_cannot_be_right(split, index, message):
    split.write_text(index)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(split)


def test_parts_of_different_formats(split):
    shutil.copyfile(DATA / "zip.bin", split.with_name("other.bin"))
    split.write_text(json.dumps({"weight_map": WEIGHT_MAP | {"kernel": "other.bin"}}))
    with pytest.raises(CheckpointError, match="different formats"):
        open_checkpoint(split)
