"""Commands run in this process, and in processes of their own."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras_bert
from keras_bert.commands import main

PACKAGE = Path(keras_bert.__file__).parent


def run(capsys, monkeypatch, *words, stdin=""):
    """Run a command here; returns its exit code, its output and its messages."""
    stream = io.TextIOWrapper(io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin))
    monkeypatch.setattr(sys, "stdin", stream)
    capsys.readouterr()
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def as_json(output):
    return [json.loads(line) for line in output.splitlines()]


def start(*words, prefix=("-m", "keras_bert"), **options):
    """Start a command in a process that finds the package tested here."""
    environment = {**os.environ, **options.pop("environment", {})}
    paths = [str(PACKAGE.parent), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return subprocess.Popen(
        [sys.executable, *prefix, *map(str, words)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def free_port():
    """A port of this machine for processes that talk to each other."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
