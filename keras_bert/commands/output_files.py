"""A command's output file: claimed by one process, and continued after a break.

It is written under the name `….part`, beside which `….part.json` notes what it is made from, and
gets its own name when it is complete.
"""

import argparse
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from . import shared
from .locking import lock
from .progress import closing_line
from .starting import at_ctrl_c


def part_of(output: Path) -> Path:
    """The name under which a file is written."""
    return output.with_name(f"{output.name}.part")


def check_suffix(output: Path, suffixes: Iterable[str]) -> None:
    """Raise where a name has another ending than those of what can be written."""
    if output.suffix == ".json":
        name = output.with_suffix(".jsonl")
        raise shared.CommandError(
            f"JSON is written as JSON Lines, an object a line: name it {name}"
        )
    if output.suffix not in suffixes:
        raise shared.CommandError(f"OUT must end in {', '.join(suffixes)}. Received: {output}")


def check_is_new(output: Path) -> None:
    """Raise where a file is there already, or no folder for it."""
    if not output.parent.is_dir():
        raise shared.CommandError(f"there is no folder {output.parent} to write {output.name} into")
    if output.exists():
        raise shared.CommandError(f"{output} is there already: delete it, or choose another name")


def files_read(files: shared.ModelFolder, options: argparse.Namespace) -> list[list[Any]]:
    """Path, size and time of the model's files and of the texts."""
    config, checkpoint, vocabulary = files.paths
    index = f"{checkpoint}.index"
    read = [index if os.path.exists(index) else checkpoint, vocabulary]
    if config is not None:  # as TensorFlow Hub's models have none
        read.append(config)
    if options.file != "-":
        shared.check_text_file(options.file)
        read.append(options.file)
    return [
        [os.path.abspath(file), os.path.getsize(file), os.stat(file).st_mtime_ns] for file in read
    ]


def write_all(file, items_after: Callable[[int], Iterable[tuple]], output: Path, options) -> None:
    """Write what is missing of a file, and give it its name.

    Args:
        file: A file as in `feature_files`, open for writing under the name of the part.
        items_after: Takes the number of texts that are in it, and gives what to write of others.
        output: The file's name.
        options: The command's.
    """
    count = file.count
    try:
        for item in items_after(file.count):
            file.write(*item)
            count += 1
    except BaseException as error:
        file.close()
        if not count:
            discard(part_of(output))
        elif options.file != "-":
            text = f"{part_of(output)} holds what was done; the same command continues it"
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(text) from None
            shared.remark(options, text)
        raise
    file.finish(output)
    closing_line(options, count, output)


def discard(part: Path) -> None:
    """Delete a part that no text is in; it is a folder for some kinds of files."""
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


@contextmanager
def claimed(output: Path, settings: dict, options: argparse.Namespace) -> Iterator[None]:
    """Keep other commands from a file and its part, and note what it is made from.

    Args:
        output: The file's name.
        settings: All that its content depends on.
        options: The command's.
    """
    part = part_of(output)
    note = part.with_name(f"{part.name}.json")

    def forget() -> None:
        if not part.exists():
            with suppress(PermissionError):  # on Windows, where it may be open
                note.unlink(missing_ok=True)

    with ExitStack() as at_end, open(note, "a+b") as stream:
        _lock(stream, note, output, options)
        at_end.callback(forget)
        at_end.enter_context(at_ctrl_c(forget))
        check_is_new(output)  # another command may have ended since it was checked
        _check_settings(part, stream, settings, options.file)
        yield


def _lock(stream: BinaryIO, note: Path, output: Path, options: argparse.Namespace) -> None:
    try:
        lock(stream)
    except BlockingIOError:
        message = f"another command is writing {output}: wait for it, or choose another name"
        raise shared.CommandError(message) from None
    except OSError as error:
        text = f"{note} cannot be locked ({error}): let no other command write {output}"
        shared.remark(options, text)


def _check_settings(part: Path, note: BinaryIO, settings: dict, file: str) -> None:
    """Note what a file is made from; raise where a part of it was made from something else."""
    note.seek(0)
    content = json.dumps(settings).encode()
    if part.exists() and (note.read() != content or file == "-"):
        raise shared.CommandError(
            f"{part} is there from a command that broke off and had other arguments, files or "
            "stdin: run that one again to continue it, or delete the part"
        )
    note.truncate(0)
    note.write(content)
    note.flush()
