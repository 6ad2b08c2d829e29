"""What archives are known by: hashes that came with the library, or noted at the first download."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from ..checkpoints.paths import get_checkpoint_paths
from .official import GOOGLE_STORAGE, KNOWN_FILES
from .unpacking import ArchiveError

_RECORD = "keras_bert_sha256.json"
_END = 2**16  # bytes of an archive by which it is known
_SIZES = re.compile(r"_L-(\d+)_H-(\d+)_A-\d+\.zip$")


def sha256_of(path: Path) -> str:
    """Hash a file, as lower-case hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_archive(archive: Path, url: str, asked: str | None, record_folder: Path) -> str:
    """Return an archive's hash, which must be the one asked for, or else the one on record."""
    digest = sha256_of(archive)
    record = record_folder / _RECORD
    recorded = _read(record).get(url)
    if asked is not None and digest != asked.lower():
        raise ArchiveError(f"its SHA-256 is {digest}, asked for was {asked.lower()}")
    if asked is None and recorded is not None and digest != recorded:
        raise ArchiveError(
            f"its SHA-256 is {digest}, and was {recorded} when {url} was first downloaded. If it "
            f"has been replaced there on purpose, delete its entry in {record}"
        )
    return digest


def check_files(folder: Path, url: str) -> None:
    """Compare unpacked files with the hashes that are known of an official archive."""
    for name, known in KNOWN_FILES.get(url, {}).items():
        path = folder / name
        digest = sha256_of(path) if path.is_file() else "that of no file"
        if digest != known:
            raise ArchiveError(f"the SHA-256 of its {name} is {digest}, of Google's file {known}")


def check_sizes(folder: Path, url: str) -> None:
    """Compare the configuration in a folder with the sizes in the name of an official archive.

    Nobody else looks at files that were put there by hand; to hash the weights takes too long.
    """
    named = _SIZES.search(url)
    if named is None or not url.startswith(GOOGLE_STORAGE):
        return
    config = get_checkpoint_paths(folder).config
    if config is None:
        return
    try:
        settings = json.loads(Path(config).read_text("utf-8"))
        found = [settings[key] for key in ("num_hidden_layers", "hidden_size")]
    except (OSError, ValueError, KeyError, TypeError):  # which loaders tell better
        return
    layers, size = map(int, named.groups())
    if found != [layers, size]:
        raise OSError(
            f"{config} is not that of {url}: it has {found[0]} layers of {found[1]}, not {layers} "
            f"of {size}. Delete the folder {folder} or put the right files there; another model is "
            "named by the path of its folder."
        )


def check_source(folder: Path, archive: Path) -> None:
    """Refuse a folder that was made of another archive on this machine than this one."""
    note = _source_note(folder)
    if not note.is_file() or not archive.is_file():
        return  # files put there by hand, or an archive that has gone
    known = note.read_text("utf-8")
    if known and known != _end_of(archive):
        raise OSError(
            f"{archive} cannot be used: {folder} was made of another archive of this name. Rename "
            "the archive, or delete that folder and try again."
        )


def record_source(folder: Path, archive: Path) -> None:
    """Note of which archive a folder is about to be made."""
    _source_note(folder).write_text(_end_of(archive), "utf-8")


def _source_note(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.source")


def _end_of(archive: Path) -> str:
    """What tells two archives apart and is read at once: size and end.

    There a `.zip` lists its files with checksums, and a `.tar.gz` has the checksum of the whole.
    """
    with open(archive, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _END))
        return f"{size} {hashlib.sha256(stream.read()).hexdigest()}"


def record_archive(url: str, digest: str, record_folder: Path) -> None:
    """Note the hash of an archive that has been unpacked without objection."""
    from filelock import FileLock

    record = record_folder / _RECORD
    with FileLock(record.with_name(f".{_RECORD}.lock")):
        hashes = _read(record) | {url: digest}
        unfinished = record.with_name(f"{_RECORD}.unfinished")
        unfinished.write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n", "utf-8")
        os.replace(unfinished, record)


def _read(record: Path) -> dict[str, str]:
    try:
        hashes = json.loads(record.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise OSError(f"The record of hashes {record} is damaged ({error}): delete it.") from error
    if not isinstance(hashes, dict):
        raise OSError(f"The record of hashes {record} is damaged: delete it.")
    return hashes
