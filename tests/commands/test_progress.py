"""The line that closes a command which took long. It needs no Keras."""

import argparse
import time
from pathlib import Path

import pytest
from runtimes import once

from keras_bert.commands.progress import closing_line, with_bar

pytestmark = once


def options(seconds=0.0):
    started = time.monotonic() - seconds
    return argparse.Namespace(command="extract", file="-", started=started)


@pytest.mark.parametrize(
    ("seconds", "count", "output", "message"),
    [
        (3, 1234, "a.npy", "keras-bert extract: 1,234 texts in 3.0 s, written to a.npy\n"),
        (3, 1, "a.npy", "keras-bert extract: 1 text in 3.0 s, written to a.npy\n"),
        (1, 1234, "a.npy", ""),
        (3, 1234, None, ""),  # a program reads stdout
    ],
)
def test_the_closing_line(capsys, seconds, count, output, message):
    closing_line(options(seconds), count, output and Path(output))
    assert capsys.readouterr().err == message


def test_on_a_terminal_it_comes_without_a_file(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    closing_line(options(3), 2)
    assert capsys.readouterr().err == "keras-bert extract: 2 texts in 3.0 s\n"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_the_bar_is_for_terminals(capsys, monkeypatch, is_terminal):
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    assert list(with_bar("abc", options(), 4, is_shown=False)) == ["a", "b", "c"]
    err = capsys.readouterr().err
    assert ("7text" in err) == is_terminal
    assert bool(err) == is_terminal
