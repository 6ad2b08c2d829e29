"""Archives that shall not be unpacked: an error gives the reason and nothing is left behind."""

import gzip
import io
import random
import stat
import tarfile
import tracemalloc
import zipfile

import pytest
from archives import FILES, make_archive, read
from runtimes import once

from keras_bert.datasets.unpacking import ArchiveError, unpack

pytestmark = once


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
    refuse(archive, folder, "holds more than 10000 files")


def test_a_size_that_is_a_lie(tmp_path, folder):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(5_000_000))
    size = (5_000_000).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    refuse(archive, folder, "damaged")


def test_a_dictionary_of_any_size(tmp_path, folder):
    """LZMA's, of which the archive declares the size: up to 4 GB, before the first byte."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("vocab.txt", "[PAD]\n")
    refuse(tmp_path / "a.zip", folder, "compressed by LZMA")


def test_a_name_of_which_nothing_is_left(tmp_path, folder):
    """As `tests/fuzz` found: zipfile cuts it at the zero and then asks for the last letter."""
    refuse(with_entry(tmp_path / "a.zip", "\0ocab.txt"), folder, "none on every system")


def test_encrypted_files(tmp_path, folder):
    archive = make_archive(tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as file:
        start = file.start_dir
    damaged = bytearray(archive.read_bytes())
    damaged[start + 8] |= 1
    archive.write_bytes(damaged)
    refuse(archive, folder, "encrypted")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"Rar!\x1a\x07"])
def test_no_archive_at_all(tmp_path, folder, content):
    archive = tmp_path / "a.zip"
    archive.write_bytes(content)
    refuse(archive, folder, "no .zip or .tar.gz archive: it begins with b")


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


# Archives made by tar and gzip, as Google's of ALBERT are.


# Not as easily packed as those of the .zip archives.
TAR_FILES = {"vocab.txt": "[PAD]\n", "weights": random.Random(0).randbytes(20_000).hex()}


def make_tar(path, *members):
    """Write the files, and further members as (name, changes of the header, content)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in TAR_FILES.items():
            _add(archive, name, {}, text.encode())
        for member in members:
            _add(archive, *member)
    return path


def _add(archive, name, changes, content=b""):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content))


def test_a_tar_is_unpacked(tmp_path, folder):
    members = [
        ("a", {"type": tarfile.DIRTYPE}),
        ("./a/b/c.txt", {"mode": 0o7777}, b"c" * 1_500_000),
    ]
    unpack(make_tar(tmp_path / "a.tar.gz", *members), folder)
    assert read(folder) == TAR_FILES
    assert (folder / "a/b/c.txt").read_bytes() == b"c" * 1_500_000
    assert not (folder / "a/b/c.txt").stat().st_mode & 0o7111


@pytest.mark.parametrize(
    ("name", "changes", "match"),
    [
        ("../outside", {}, "outside the folder"),
        ("/etc/outside", {}, "outside the folder"),
        ("C:outside", {}, "none on every system"),
        ("", {}, "none on every system"),
        ("a/b\\c", {}, "none on every system"),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "a link or a device"),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "vocab.txt"}, "a link or a device"),
        ("pipe", {"type": tarfile.FIFOTYPE}, "a link or a device"),
        ("disk", {"type": tarfile.BLKTYPE}, "a link or a device"),
        ("VOCAB.txt", {}, "two of this name"),
        ("vocab.txt/a", {}, "'vocab.txt' is a file"),
        ("large", {"type": tarfile.CONTTYPE}, "a link or a device"),
    ],
)
def test_members_of_a_tar_that_are_refused(tmp_path, folder, name, changes, match):
    refuse(make_tar(tmp_path / "a.tar.gz", (name, changes)), folder, match)


@pytest.mark.slow
def test_bombs_in_a_tar(tmp_path, folder):
    zeros = ("zeros", {}, bytes(5_000_000))
    refuse(make_tar(tmp_path / "a.tar.gz", zeros), folder, "bytes are said to be in an archive")
    comment = {"pax_headers": {"comment": "x" * 3_000_000}}
    refuse(make_tar(tmp_path / "a.tar.gz", ("a", comment)), folder, "a name or a comment")
    many = [(str(number), {}) for number in range(10_001)]
    refuse(make_tar(tmp_path / "a.tar.gz", *many), folder, "more than 10000 files")


def test_attributes_of_a_tar_take_no_memory(tmp_path, folder):
    """The archive's own are copied to every file."""
    with tarfile.open(
        tmp_path / "a.tar.gz", "w:gz", pax_headers={f"key{number}": "" for number in range(2000)}
    ) as file:
        file.addfile(tarfile.TarInfo("vocab.txt"))
    refuse(tmp_path / "a.tar.gz", folder, "'vocab.txt': it has more than 100 attributes")


def test_a_long_name_in_a_tar(tmp_path, folder):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        file.addfile(tarfile.TarInfo("a/" * 50_000))
    refuse(tmp_path / "a.tar.gz", folder, "name is too long")


@pytest.mark.slow
def test_comments_in_a_tar_take_no_memory(tmp_path, folder):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        for number in range(40):
            entry = tarfile.TarInfo(f"{number}.txt")
            entry.pax_headers["comment"] = str(number) + "a" * 500_000
            file.addfile(entry)
    with (tmp_path / "a.tar.gz").open("ab") as file:
        file.write(gzip.compress(random.Random(0).randbytes(300_000)))  # not more than 100 times
    tracemalloc.start()
    try:
        unpack(tmp_path / "a.tar.gz", folder)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()
    assert len(read(folder)) == 40


def test_every_cut_and_flipped_bits_in_a_tar(tmp_path, folder):
    archive = make_tar(tmp_path / "a.tar.gz")
    whole = archive.read_bytes()
    for length in range(2, len(whole), 97):
        archive.write_bytes(whole[:length])
        refuse(archive, folder, "damaged|refused")
    for place in range(20, len(whole), 97):  # after the date and the name, which nothing needs
        damaged = bytearray(whole)
        damaged[place] ^= 4
        archive.write_bytes(damaged)
        refuse(archive, folder, "damaged|refused")
