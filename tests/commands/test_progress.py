"""Bars on terminals, and the line that closes a command which took long. It needs no Keras."""

import argparse
import io
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from runtimes import once

from keras_bert.commands import progress
from keras_bert.commands.progress import closing_line, steps_bar, with_bar

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


class Terminal(io.StringIO):
    """A terminal whose stderr can be waited for."""

    def isatty(self):
        return True

    def wait_for(self, text):
        end = time.monotonic() + 20
        while text not in self.getvalue():
            assert time.monotonic() < end, self.getvalue()
            time.sleep(0.01)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "_LONG", 0)
    monkeypatch.setattr(progress, "_TICK", 0.01)


def test_steps_of_a_command(at_once, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with steps_bar(options(), 2) as begin:
        begin("reading")
        terminal.wait_for("extract: reading   0%|")
        begin("writing")
        terminal.wait_for("extract: writing  50%|")
    *_, last, end = terminal.getvalue().split("\r")
    assert (last.strip(), end) == ("", "")  # wiped out


def test_steps_end_with_an_error(at_once, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    before = set(threading.enumerate())
    with suppress(OSError), steps_bar(options(), 2) as begin:
        begin("reading")
        raise OSError
    assert {each.name for each in set(threading.enumerate()) - before} <= {"tqdm_monitor"}


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_short_steps_and_steps_without_a_terminal_show_nothing(at_once, monkeypatch, stream):
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    if shown.isatty():
        monkeypatch.setattr(progress, "_LONG", 60)
    with steps_bar(options(), 2) as begin:
        begin("reading")
        time.sleep(0.1)
    assert shown.getvalue() == ""
