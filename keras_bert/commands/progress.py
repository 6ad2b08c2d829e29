"""How far a command is, on a terminal, and what it has done when it ends."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from .shared import remark

Item = TypeVar("Item")
_LONG = 2  # seconds, after which people wonder
_TICK = 0.5  # seconds after which a bar is drawn again that nothing but the time moves


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


@contextmanager
def steps_bar(options: argparse.Namespace, total: int) -> Iterator[Callable[[str], None]]:
    """Show on a terminal at which of its steps a command is, once it takes long.

    How far a step is by itself is not known; the time beside the bar goes on meanwhile.

    Args:
        options: The command's.
        total: The number of steps.

    Yields:
        A function that is called with the name of each step when it begins.
    """
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    begun: list[str] = []
    ended = threading.Event()

    def show() -> None:
        if ended.wait(_LONG):
            return
        from tqdm import tqdm

        form = "{desc} {percentage:3.0f}%|{bar:20}| {elapsed}"
        with tqdm(desc=options.command, total=total, bar_format=form, leave=False) as bar:
            if not bar.disable:  # by TQDM_DISABLE
                bar.start_t -= _LONG
            while not ended.is_set():
                bar.n = len(begun) - 1
                bar.set_description_str(f"{options.command}: {begun[-1]}")
                ended.wait(_TICK)

    thread = threading.Thread(target=show, daemon=True)

    def begin(name: str) -> None:
        begun.append(name)
        if len(begun) == 1:
            thread.start()

    try:
        yield begin
    finally:
        ended.set()
        if begun:
            thread.join()


def closing_line(options: argparse.Namespace, count: int, output: Path | None = None) -> None:
    """Say on stderr what was done, if it took long and is not only read by a program."""
    sys.stdout.flush()
    taken = time_taken(options)
    if taken and (output is not None or sys.stderr.isatty()):
        where = "" if output is None else f", written to {output}"
        remark(options, f"{count:,} text{'' if count == 1 else 's'}{taken}{where}")


def time_taken(options: argparse.Namespace) -> str:
    """How long a command has taken, as a part of a sentence; empty if that is not long."""
    seconds = time.monotonic() - options.started
    return f" in {seconds:.1f} s" if seconds > _LONG else ""


def _count_lines(name: str) -> int | None:
    """The number of lines of a file; unknown for stdin and pipes."""
    if not os.path.isfile(name):
        return None
    with open(name, "rb") as stream:
        return sum(1 for _ in stream)
