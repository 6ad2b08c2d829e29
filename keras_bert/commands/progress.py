"""How far a command is, on a terminal, and what it has done when it ends."""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from .shared import remark

Item = TypeVar("Item")
_LONG = 2  # seconds, after which people wonder


def with_bar(
    items: Iterable[Item],
    options: argparse.Namespace,
    done: int = 0,
    is_shown: bool = False,
    total: int | None = None,
) -> Iterator[Item]:
    """Pass on what is computed of each text, with a bar where stderr is a terminal.

    Args:
        items: One for each text after the first `done`.
        options: The command's.
        done: How many texts were done before.
        is_shown: Whether the items are written to stdout, which shows the progress if it is a
            terminal too.
        total: How many texts there are; None for the number of lines of the command's file.
    """
    if not sys.stderr.isatty() or (is_shown and sys.stdout.isatty()):
        yield from items
        return
    from tqdm import tqdm

    total = total or _count_lines(options.file)
    yield from tqdm(items, options.command, total, initial=done, unit="text")


def closing_line(options: argparse.Namespace, count: int, output: Path | None = None) -> None:
    """Say on stderr what was done, if it took long and is not only read by a program."""
    sys.stdout.flush()
    seconds = time.monotonic() - options.started
    if seconds > _LONG and (output is not None or sys.stderr.isatty()):
        where = "" if output is None else f", written to {output}"
        remark(options, f"{count:,} text{'' if count == 1 else 's'} in {seconds:.1f} s{where}")


def _count_lines(name: str) -> int | None:
    """The number of lines of a file; unknown for stdin and pipes."""
    if not os.path.isfile(name):
        return None
    with open(name, "rb") as stream:
        return sum(1 for _ in stream)
