"""Archives that shall not be unpacked: an error gives the reason and nothing is left behind."""

import stat
import zipfile

import pytest
from archives import FILES, make_archive, read

from keras_bert.datasets.unpacking import ArchiveError, unpack


def refuse(archive, folder, match):
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(ArchiveError, match=match):
        unpack(archive, folder)
    assert sorted(archive.parent.rglob("*")) == before


def with_entry(path, name, content="x", mode=None, **changes):
    """An archive whose second entry is as given."""
    entry = zipfile.ZipInfo("placeholder" if "\\" in name or "\0" in name else name)
    if mode is not None:
        entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("vocab.txt", "[PAD]\n")
        file.writestr(entry, content)
    if entry.filename != name:  # zipfile itself does not write such a name
        padded = name.ljust(len(entry.filename), "x").encode()
        path.write_bytes(path.read_bytes().replace(entry.filename.encode(), padded))
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "unpacked"


def test_plain_files_are_unpacked(tmp_path, folder):
    unpack(make_archive(tmp_path / "a.zip"), folder)
    assert read(folder) == FILES


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../outside", "/etc/outside", "a/..", "..\\outside", "C:outside"]
)
def test_places_outside_the_folder(tmp_path, folder, name):
    refuse(with_entry(tmp_path / "a.zip", name), folder, "outside the folder|none on every system")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(tmp_path, folder, kind):
    archive = with_entry(tmp_path / "a.zip", "bert_config.json", "/etc/passwd", kind | 0o777)
    refuse(archive, folder, "'bert_config.json': it is a link or a device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["vocab.txt", "VOCAB.txt"])
def test_two_files_of_one_name(tmp_path, folder, name):
    refuse(with_entry(tmp_path / "a.zip", name), folder, "two of this name")


@pytest.mark.parametrize("names", [("a", "A/b"), ("a/b", "a"), ("a", "a-", "a/b/c"), ("a", "a/")])
def test_a_file_that_is_a_folder_too(tmp_path, folder, names):
    archive = make_archive(tmp_path / "a.zip", extra=names)
    refuse(archive, folder, "it is refused because of .*: ('a' is a file|.* two of this name)")


def test_folders_may_have_entries_of_their_own(tmp_path, folder):
    unpack(make_archive(tmp_path / "a.zip", extra=["a/", "a/b/", "a/c"]), folder)
    assert sorted(path.name for path in (folder / "a").iterdir()) == ["b", "c"]


def test_bombs(tmp_path, folder):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(5_000_000))
    refuse(archive, folder, "refused: 5000000 bytes are said to be in an archive of")
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(10_001):
            file.writestr(str(number), "")
    refuse(archive, folder, "holds 10001 files")


def test_a_size_that_is_a_lie(tmp_path, folder):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(5_000_000))
    size = (5_000_000).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    refuse(archive, folder, "damaged")


def test_encrypted_files(tmp_path, folder):
    archive = make_archive(tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as file:
        start = file.start_dir
    damaged = bytearray(archive.read_bytes())
    damaged[start + 8] |= 1
    archive.write_bytes(damaged)
    refuse(archive, folder, "encrypted")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x1f\x8b\x08", b"Rar!\x1a\x07"])
def test_no_archive_at_all(tmp_path, folder, content):
    archive = tmp_path / "a.zip"
    archive.write_bytes(content)
    refuse(archive, folder, "no .zip archive: it begins with b")


def test_every_cut_and_flipped_bits_in_the_content(tmp_path, folder):
    archive = make_archive(tmp_path / "a.zip")
    whole = archive.read_bytes()
    for length in [*range(4, len(whole), 997), len(whole) - 1]:
        archive.write_bytes(whole[:length])
        refuse(archive, folder, "damaged")
    for place in range(500, len(whole) - 500, 997):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        archive.write_bytes(damaged)
        refuse(archive, folder, "damaged")
