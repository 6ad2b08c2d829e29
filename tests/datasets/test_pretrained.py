"""Downloading and unpacking, from archives on this machine; no test needs the network."""

import re
import zipfile
from pathlib import Path

import pytest

from keras_bert.datasets import PretrainedInfo, PretrainedList, get_pretrained

FILES = {"bert_config.json": "{}", "vocab.txt": "[PAD]\n", "bert_model.ckpt.index": "index"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of Keras of the test's own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


@pytest.fixture
def server(tmp_path):
    (tmp_path / "server").mkdir()
    return tmp_path / "server"


def make_archive(path, folder="", extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in FILES.items():
            file.writestr(f"{folder}{name}", text)
        for name in extra:
            file.writestr(name, "")
    return path.as_uri()


def read(folder):
    return {path.name: path.read_text() for path in Path(folder).iterdir() if path.is_file()}


@pytest.mark.parametrize("folder", ["", "tiny/", "another/"])
def test_address(server, home, folder):
    got = get_pretrained(make_archive(server / "tiny.zip", folder))
    assert got == str(home / "tiny")
    assert read(got) == FILES


@pytest.mark.parametrize("folder", ["", "publish/", "another/"])
def test_entry_with_names(server, home, folder):
    url = make_archive(server / "archive.zip", folder, extra=["__MACOSX/._publish"])
    got = get_pretrained(PretrainedInfo(url, "publish", "target"))
    assert got == str(home / "target")
    assert read(got) == FILES


def test_archives_of_one_name_do_not_meet(server):
    (server / "2018").mkdir()
    (server / "2020").mkdir()
    url = make_archive(server / "2018" / "uncased.zip")
    other = PretrainedInfo(make_archive(server / "2020" / "uncased.zip", "x/"), "x", "uncased_2020")
    assert get_pretrained(url) != get_pretrained(other)


def test_a_second_call_needs_nothing(server, home):
    url = make_archive(server / "tiny.zip", "tiny/")
    first = get_pretrained(url)
    (server / "tiny.zip").unlink()
    (home / "tiny.zip").unlink()
    assert get_pretrained(url) == first
    assert read(first) == FILES


def test_without_network_the_message_says_what_to_put_where(server, home):
    url = (server / "tiny.zip").as_uri()
    with pytest.raises(OSError, match="could not be downloaded") as error:
        get_pretrained(url)
    for part in (url, home / "tiny.zip", home / "tiny"):
        assert str(part) in str(error.value)
    # Doing so helps.
    make_archive(home / "tiny.zip", "tiny/")
    assert read(get_pretrained(url)) == FILES


def test_a_damaged_archive_leaves_no_folder(server, home):
    url = make_archive(server / "tiny.zip", "tiny/")
    whole = (server / "tiny.zip").read_bytes()
    (server / "tiny.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match=re.escape(f"{home / 'tiny.zip'} is damaged")):
        get_pretrained(url)
    assert [path.name for path in home.iterdir()] == ["tiny.zip"]


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
    chinese = entries.pop("chinese_wwm_base")
    assert {name: entry.url for name, entry in entries.items()} == {
        name: google + path for name, path in {**large, **small}.items()
    }
    assert chinese == (
        "https://storage.googleapis.com/hfl-rc/chinese-bert/chinese_wwm_L-12_H-768_A-12.zip",
        "publish",
        "chinese_wwm_L-12_H-768_A-12",
    )
