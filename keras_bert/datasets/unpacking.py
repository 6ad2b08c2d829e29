"""Unpacking .zip archives that come from elsewhere."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
# The largest ratio of unpacked to packed size: weights have 1.1, vocabularies 3, a zip bomb 1000.
_MOST_EXPANSION = 100
_MOST_ENTRIES = 10_000
# What zipfile raises for damaged archives.
_PARSING_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


class ArchiveError(OSError):
    """The archive is damaged, not safe to unpack, not the expected one, or no archive at all."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .zip archive into a new folder, which is deleted if anything fails.

    Every entry is judged before the first is written. The checksum of each is compared; sizes are
    those that the archive declares, for more than that is never unpacked.

    Raises:
        ArchiveError: The file is no .zip archive, is damaged, or holds what an archive of plain
            files would not.
    """
    with open(archive, "rb") as stream:
        start = stream.read(40)
    if not start.startswith(_MAGIC):
        raise ArchiveError(f"it is no .zip archive: it begins with {start!r}")
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as file:
            _check_entries(file.infolist(), archive.stat().st_size)
            file.extractall(folder)
    except BaseException as error:
        shutil.rmtree(folder)
        if isinstance(error, _PARSING_ERRORS):
            raise ArchiveError(f"it is damaged ({error})") from error
        raise


def _check_entries(entries: list[zipfile.ZipInfo], archive_size: int) -> None:
    if len(entries) > _MOST_ENTRIES:
        raise ArchiveError(f"it is refused: it holds {len(entries)} files")
    unpacked_size = sum(entry.file_size for entry in entries)
    if unpacked_size > _MOST_EXPANSION * archive_size:
        raise ArchiveError(
            f"it is refused: {unpacked_size} bytes are said to be in an archive of {archive_size}"
        )
    for entry in entries:
        if reason := _objection(entry):
            raise ArchiveError(f"it is refused because of {entry.filename!r}: {reason}")
    # Some file systems take upper and lower case for the same.
    named = [(PurePosixPath(entry.filename.casefold()).parts, entry) for entry in entries]
    # Next to a file comes what has its name too, or would be in a folder of its name.
    named.sort(key=lambda item: (item[0], item[1].is_dir()))
    for (first, file), (second, entry) in pairwise(named):
        if not file.is_dir() and second[: len(first)] == first:
            is_same = first == second
            reason = "there are two of this name" if is_same else f"{file.filename!r} is a file"
            raise ArchiveError(f"it is refused because of {entry.filename!r}: {reason}")


def _objection(entry: zipfile.ZipInfo) -> str | None:
    # `orig_filename` is what stands in the archive; zipfile has tidied up the other.
    name = entry.orig_filename
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if "\\" in name or "\0" in name or windows.drive:
        return "its name is none on every system"
    if posix.is_absolute() or ".." in posix.parts:
        return "it would be outside the folder"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is a link or a device, not a file"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    return None
