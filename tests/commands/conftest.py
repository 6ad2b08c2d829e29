"""Small model folders for commands."""

import math

import pytest
from command_line import run
from model_folders import write_google_folder, write_pieces_folder

from keras_bert.commands import progress


@pytest.fixture(scope="session")
def google(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "google"
    write_google_folder(folder)
    return folder


@pytest.fixture(scope="session")
def pieces(tmp_path_factory):
    """A folder with a SentencePiece vocabulary."""
    folder = tmp_path_factory.mktemp("models") / "pieces"
    write_pieces_folder(folder)
    return folder


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command here; returns its exit code, its output and its messages.

    The line about commands that took long would depend on the machine.
    """
    monkeypatch.setattr(progress, "_LONG", math.inf)
    return lambda *words, stdin="": run(capsys, monkeypatch, *words, stdin=stdin)
