"""What archives are known by: hashes that came with the library, or noted at the first download."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from filelock import FileLock

from .official import KNOWN_FILES

_RECORD = "keras_bert_sha256.json"


class HashError(OSError):
    """A file that is not the one it should be."""


def sha256_of(path: Path) -> str:
    """Hash a file, as lower-case hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_archive(archive: Path, url: str, asked: str | None, record_folder: Path) -> str:
    """Compare an archive with the hash that the caller asks for, or else with the one on record.

    Args:
        archive: The file.
        url: Where it belongs.
        asked: The hash that the caller asks for, if any.
        record_folder: The folder with the record of earlier downloads.

    Returns:
        The archive's hash.

    Raises:
        HashError: The hashes differ.
    """
    digest = sha256_of(archive)
    record = record_folder / _RECORD
    recorded = _read(record).get(url)
    if asked is not None and digest != asked.lower():
        raise HashError(f"its SHA-256 is {digest}, asked for was {asked.lower()}")
    if asked is None and recorded is not None and digest != recorded:
        raise HashError(
            f"its SHA-256 is {digest}, and was {recorded} when {url} was first downloaded. If it "
            f"has been replaced there on purpose, delete its entry in {record}"
        )
    return digest


def check_files(folder: Path, url: str) -> None:
    """Compare unpacked files with the hashes that are known of an official archive.

    Raises:
        HashError: A file is missing or not the official one.
    """
    for name, expected in KNOWN_FILES.get(url, {}).items():
        path = folder / name
        digest = sha256_of(path) if path.is_file() else "that of no file"
        if digest != expected:
            raise HashError(f"the SHA-256 of its {name} is {digest}, of Google's file {expected}")


def record_archive(url: str, digest: str, record_folder: Path) -> None:
    """Note the hash of an archive that has been unpacked without objection."""
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
