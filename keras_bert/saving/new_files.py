"""Files and folders that are there as a whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..arguments import check_path

_THERE_ALREADY = "{} is there already: delete it, or choose another name."


@contextmanager
def new_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to write into, which takes the wanted name when all has been written."""
    check_path("folder", folder)
    if not os.fspath(folder):
        raise ValueError("`folder` must be the path of a new folder. Received: ''.")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(_THERE_ALREADY.format(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        _named_in_errors(folder),
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary,
    ):
        unfinished = Path(temporary) / folder.name
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes the wanted name when all has been written."""
    if path.exists():
        raise FileExistsError(_THERE_ALREADY.format(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
    try:
        with _named_in_errors(path):
            yield unfinished
            os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _named_in_errors(path: Path) -> Iterator[None]:
    """Name what could not be written: the system's error of a full disk names no file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write what JSON can express, with keys in alphabetical order."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
