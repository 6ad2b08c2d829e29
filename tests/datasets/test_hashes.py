"""What archives are known by: hashes that the caller asks for, on record, or of official files."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from runtimes import once

from keras_bert import PretrainedList
from keras_bert.datasets import hashes
from keras_bert.datasets.hashes import (
    check_archive,
    check_files,
    check_sizes,
    record_archive,
    sha256_of,
)
from keras_bert.datasets.unpacking import ArchiveError

pytestmark = once

URL = "https://example.org/model.zip"
CONTENT = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "archive" / "model.zip"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_sha256(archive):
    assert sha256_of(archive) == DIGEST
    archive.write_bytes(b"")
    # Of nothing, as everybody knows it.
    assert sha256_of(archive).startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_the_hash_that_the_caller_asks_for(archive, tmp_path):
    assert check_archive(archive, URL, DIGEST.upper(), tmp_path) == DIGEST
    with pytest.raises(ArchiveError, match=f"is {DIGEST}, asked for was {'0' * 64}"):
        check_archive(archive, URL, "0" * 64, tmp_path)


def test_the_first_download_is_trusted_and_noted(archive, tmp_path):
    assert check_archive(archive, URL, None, tmp_path) == DIGEST
    assert list(tmp_path.iterdir()) == [archive.parent]  # not before it is unpacked
    record_archive(URL, DIGEST, tmp_path)
    record_archive(f"{URL}2", "f" * 64, tmp_path)
    record = tmp_path / "keras_bert_sha256.json"
    assert json.loads(record.read_text("utf-8")) == {URL: DIGEST, f"{URL}2": "f" * 64}
    assert check_archive(archive, URL, None, tmp_path) == DIGEST


def test_another_file_than_before(archive, tmp_path):
    record_archive(URL, "f" * 64, tmp_path)
    with pytest.raises(ArchiveError, match=f"was {'f' * 64} when {URL} was first") as error:
        check_archive(archive, URL, None, tmp_path)
    assert str(tmp_path / "keras_bert_sha256.json") in str(error.value)
    # Asked for by name, it is what the caller wants.
    assert check_archive(archive, URL, DIGEST, tmp_path) == DIGEST
    assert check_archive(archive, "https://example.org/other.zip", None, tmp_path) == DIGEST


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_damaged_record_is_named(archive, tmp_path, content):
    record = tmp_path / "keras_bert_sha256.json"
    record.write_text(content)
    for use in (
        lambda: check_archive(archive, URL, None, tmp_path),
        lambda: record_archive(URL, DIGEST, tmp_path),
    ):
        with pytest.raises(OSError, match=r"is damaged.*: delete it") as error:
            use()
        assert str(record) in str(error.value)
    assert record.read_text() == content


def test_notes_made_at_once_are_all_kept(tmp_path):
    urls = [f"{URL}{number}" for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda url: record_archive(url, DIGEST, tmp_path), urls))
    record = json.loads((tmp_path / "keras_bert_sha256.json").read_text("utf-8"))
    assert record == dict.fromkeys(urls, DIGEST)


def test_files_of_an_official_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(hashes, "KNOWN_FILES", {URL: {"vocab.txt": DIGEST}})
    with pytest.raises(
        ArchiveError, match=f"its vocab.txt is that of no file, of Google's .*{DIGEST}"
    ):
        check_files(tmp_path, URL)
    (tmp_path / "vocab.txt").write_bytes(CONTENT)
    assert check_files(tmp_path, URL) is None
    (tmp_path / "vocab.txt").write_bytes(CONTENT[:-1])
    with pytest.raises(
        ArchiveError, match=r"SHA-256 of its vocab.txt is [0-9a-f]{64}, of Google's"
    ):
        check_files(tmp_path, URL)
    assert check_files(tmp_path, "https://example.org/other.zip") is None


def test_files_put_in_place_of_an_official_model(tmp_path):
    url = PretrainedList.chinese_base
    check_sizes(tmp_path, url)  # which may be empty
    sizes = {"num_hidden_layers": 12, "hidden_size": 768}
    for name in ("bert_config.json", "config.json"):
        config = tmp_path / name
        for fine in (json.dumps(sizes), "{}", "[]", "{", json.dumps(sizes | {"vocab_size": 9})):
            config.write_text(fine)
            check_sizes(tmp_path, url)
        for key, told in [
            ("num_hidden_layers", "2 layers of 768"),
            ("hidden_size", "12 layers of 2"),
        ]:
            config.write_text(json.dumps(sizes | {key: 2}))
            with pytest.raises(OSError, match=f"{name} is not that of .*{told}, not 12 of 768"):
                check_sizes(tmp_path, url)
            check_sizes(tmp_path, URL)
        config.unlink()
