"""Small model folders for commands."""

import pytest
from command_line import run
from model_folders import CONFIG, write_google_folder, write_pieces_folder


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
    """Runs a command here; returns its exit code, its output and its messages."""
    return lambda *words, stdin="": run(capsys, monkeypatch, *words, stdin=stdin)


@pytest.fixture(scope="session")
def config():
    return CONFIG
