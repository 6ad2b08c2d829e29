"""The list of official checkpoints: addresses that Google and HFL gave, and known hashes."""

import re
from pathlib import Path

from runtimes import once

from keras_bert.datasets import PretrainedInfo, PretrainedList
from keras_bert.datasets.official import KNOWN_FILES, no_such_model

pytestmark = once


def test_list_of_official_checkpoints():
    entries = {
        name: entry if isinstance(entry, PretrainedInfo) else PretrainedInfo(entry, "", "")
        for name, entry in vars(PretrainedList).items()
        if not name.startswith("_")
    }
    google = "https://storage.googleapis.com/bert_models/"
    small = {
        f"uncased_l{layers}_h{size}": f"2020_02_20/uncased_L-{layers}_H-{size}_A-{size // 64}.zip"
        for layers in (2, 4, 6, 8, 10, 12)
        for size in (128, 256, 512, 768)
    }
    large = {
        "uncased_base": "2018_10_18/uncased_L-12_H-768_A-12.zip",
        "multi_cased_base": "2018_11_23/multi_cased_L-12_H-768_A-12.zip",
        "chinese_base": "2018_11_03/chinese_L-12_H-768_A-12.zip",
        "wwm_uncased_large": "2019_05_30/wwm_uncased_L-24_H-1024_A-16.zip",
        "wwm_cased_large": "2019_05_30/wwm_cased_L-24_H-1024_A-16.zip",
    }
    assert Path(entries.pop("tiny").url).is_dir()
    chinese = entries.pop("chinese_wwm_base")
    assert {name: entry.url for name, entry in entries.items()} == {
        name: google + path for name, path in {**large, **small}.items()
    }
    assert chinese == (
        "https://storage.googleapis.com/hfl-rc/chinese-bert/chinese_wwm_L-12_H-768_A-12.zip",
        "publish",
        "chinese_wwm_L-12_H-768_A-12",
    )
    assert set(KNOWN_FILES) < {entry.url for entry in entries.values()}


def test_of_a_checkpoint_its_folder_is_meant(tmp_path):
    prefix = tmp_path / "folder" / "bert_model.ckpt"
    prefix.parent.mkdir()
    prefix.with_name("bert_model.ckpt.index").touch()
    message = str(no_such_model(str(prefix)))
    assert message.endswith(f"checkpoint: pass its folder, {str(prefix.parent)!r}.")


def test_folders_on_this_machine_differ():
    """Though two archives have one name."""
    entries = [entry for name, entry in vars(PretrainedList).items() if not name.startswith("_")]
    names = [
        entry.target_name if isinstance(entry, PretrainedInfo) else Path(entry).stem
        for entry in entries
    ]
    assert len(set(names)) == len(names) == 31


def test_known_files_are_those_of_a_model():
    """Each with a SHA-256."""
    for files in KNOWN_FILES.values():
        assert set(files) == {
            *("bert_config.json", "vocab.txt"),
            *("bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001"),
        }
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in files.values())
    digests = [digest for files in KNOWN_FILES.values() for digest in files.values()]
    assert len(set(digests)) == len(digests)


def test_the_archive_of_tests_in_2019():
    assert PretrainedList.__test__.url.endswith("/keras-bert/archive/master.zip")
    assert PretrainedList.__test__.target_name == "keras-bert"
