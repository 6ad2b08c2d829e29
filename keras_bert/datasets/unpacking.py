"""Unpacking .zip and .tar.gz archives that come from elsewhere."""

from __future__ import annotations

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b"
# The largest ratio of unpacked to packed size: weights have 1.1, vocabularies 3, a bomb 1000.
_MOST_EXPANSION = 100
_MOST_ENTRIES = 10_000
_MOST_ATTRIBUTES = 100
_LONGEST_NAME = 4096
# Of a .tar file; headers of 512 bytes and contents by pieces need no more.
_MOST_READ_AT_ONCE = 1 << 20
_NO_FILE = "it is a link or a device, not a file"
# What zipfile, tarfile and gzip raise for damaged archives.
_PARSING_ERRORS = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error),
    *(EOFError, NotImplementedError, ValueError),
)


class ArchiveError(OSError):
    """The archive is damaged, not safe to unpack, not the expected one, or no archive at all."""


class _Entry(NamedTuple):
    name: str
    size: int
    is_dir: bool
    objection: str | None


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .zip or .tar.gz archive into a new folder, which is deleted if anything fails.

    Every entry is judged before the first is written. Checksums are compared; sizes are those that
    the archive declares, for more than that is never unpacked.

    Raises:
        ArchiveError: The file is no such archive, is damaged, or holds what an archive of plain
            files would not.
    """
    with open(archive, "rb") as stream:
        start = stream.read(40)
    if not start.startswith((*_ZIP_MAGIC, _GZIP_MAGIC)):
        raise ArchiveError(f"it is no .zip or .tar.gz archive: it begins with {start!r}")
    folder.mkdir()
    try:
        if start.startswith(_GZIP_MAGIC):
            _unpack_tar(archive, folder)
        else:
            with zipfile.ZipFile(archive) as file:
                _check_entries(map(_zip_entry, file.infolist()), archive.stat().st_size)
                file.extractall(folder)
    except BaseException as error:
        shutil.rmtree(folder)
        if isinstance(error, _PARSING_ERRORS):
            raise ArchiveError(f"it is damaged ({error})") from error
        raise


def _unpack_tar(archive: Path, folder: Path) -> None:
    with _open_tar(archive) as (tar, stream):
        _check_entries(map(_tar_entry, _members(tar)), archive.stat().st_size)
        while stream.read(_MOST_READ_AT_ONCE):  # up to the checksum of it all
            pass
    with _open_tar(archive) as (tar, _):
        for member in _members(tar):
            path = folder.joinpath(*PurePosixPath(member.name).parts)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, open(path, "xb") as target:
                shutil.copyfileobj(source, target, _MOST_READ_AT_ONCE)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        tar.members.clear()  # or it keeps them all, with comments of any length
        yield member


@contextmanager
def _open_tar(archive: Path) -> Iterator[tuple[tarfile.TarFile, IO[bytes]]]:
    with gzip.open(archive) as unpacked:
        stream = _Bounded(unpacked, _MOST_EXPANSION * archive.stat().st_size)
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            yield tar, stream


class _Bounded:
    """A stream that refuses to be read far, or much of it at once.

    An archive may declare names and comments of any length, which tarfile reads in one piece.
    """

    def __init__(self, stream: IO[bytes], length: int):
        self.stream = stream
        self.length = length
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        if size > _MOST_READ_AT_ONCE:
            raise ArchiveError(f"it is refused: {size} bytes are said to be a name or a comment")
        self._check(self.tell() + size)
        return self.stream.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self.stream.seek(position)

    def _check(self, position: int) -> None:
        if position > self.length + 2 * _MOST_READ_AT_ONCE:
            raise ArchiveError(f"it is refused: it unpacks to more than {self.length} bytes")


def _check_entries(entries: Iterable[_Entry], archive_size: int) -> None:
    checked: list[_Entry] = []
    unpacked_size = 0
    for entry in entries:
        checked.append(entry)
        unpacked_size += entry.size
        if unpacked_size > _MOST_EXPANSION * archive_size:
            raise ArchiveError(
                f"it is refused: {unpacked_size} bytes are said to be in an archive of "
                f"{archive_size}"
            )
        if len(checked) > _MOST_ENTRIES:
            raise ArchiveError(f"it is refused: it holds more than {_MOST_ENTRIES} files")
        if entry.objection:
            raise ArchiveError(f"it is refused because of {entry.name[:80]!r}: {entry.objection}")
    # Some file systems take upper and lower case for the same.
    named = [(PurePosixPath(entry.name.casefold()).parts, entry) for entry in checked]
    # Next to a file comes what has its name too, or would be in a folder of its name.
    named.sort(key=lambda item: (item[0], item[1].is_dir))
    for (first, file), (second, entry) in pairwise(named):
        if not file.is_dir and second[: len(first)] == first:
            is_same = first == second
            reason = "there are two of this name" if is_same else f"{file.name!r} is a file"
            raise ArchiveError(f"it is refused because of {entry.name!r}: {reason}")


def _zip_entry(info: zipfile.ZipInfo) -> _Entry:
    # `orig_filename` is what stands in the archive; zipfile has tidied up the other.
    objection = _objection(info.orig_filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        objection = objection or _NO_FILE
    elif info.flag_bits & 0x1:
        objection = objection or "it is encrypted"
    elif info.compress_type == zipfile.ZIP_LZMA:
        objection = objection or "it is compressed by LZMA, which may need any amount of memory"
    return _Entry(info.filename, info.file_size, info.filename.endswith("/"), objection)


def _tar_entry(info: tarfile.TarInfo) -> _Entry:
    is_plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
    is_plain = is_plain and not info.issparse()
    objection = _objection(info.name) or (None if is_plain else _NO_FILE)
    if len(info.pax_headers) > _MOST_ATTRIBUTES:  # those of the archive count for every file
        objection = objection or f"it has more than {_MOST_ATTRIBUTES} attributes"
    return _Entry(info.name, info.size, info.isdir(), objection)


def _objection(name: str) -> str | None:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if len(name) > _LONGEST_NAME:
        return "its name is too long"
    if not name or "\\" in name or "\0" in name or windows.drive:
        return "its name is none on every system"
    if posix.is_absolute() or ".." in posix.parts:
        return "it would be outside the folder"
    return None
