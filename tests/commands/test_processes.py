"""Every command that needs Keras, in a process of its own, as users run it."""

import json
import re

import numpy as np
import pytest
from command_line import start

from keras_bert import extract_embeddings


@pytest.mark.slow
def test_commands_with_keras(google, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # as users have it
    commands = {
        "extract": ["extract", google, "--layers", "-1,-2"],
        "fill": ["fill", google, "--top", "2"],
        "similar": ["similar", google, "--query", "a b"],
        "convert": ["convert", google, tmp_path / "model.keras"],
    }
    texts = {"extract": "a b c\na ||| b\n", "fill": "a [MASK] c\n", "similar": "c d\na b\n"}
    started = {name: start(*words) for name, words in commands.items()}
    try:
        done = {
            name: each.communicate(texts.get(name), timeout=280) for name, each in started.items()
        }
    finally:
        for each in started.values():
            each.kill()
    for name, process in started.items():
        file = tmp_path / "model.keras"
        size = file.stat().st_size / 1e6
        written = f"keras-bert convert: {file} written, {size:.1f} MB"
        written += f"; its vocabulary is {tmp_path / 'vocab.txt'}\n"
        messages = written if name == "convert" else ""
        told = re.sub(r" written in [0-9.]+ s,", " written,", done[name][1])
        assert (process.returncode, told) == (0, messages), name

    lines = [json.loads(line) for line in done["extract"][0].splitlines()]
    expected = extract_embeddings(str(google), ["a b c", ("a", "b")])
    for index, (line, array) in enumerate(zip(lines, expected, strict=True)):
        assert line["linex_index"] == index
        last = [feature["layers"][0]["values"] for feature in line["features"]]
        np.testing.assert_allclose(last, array, atol=2e-6)  # six digits, and another batch
    assert len(done["fill"][0].splitlines()) == 3
    assert done["similar"][0].splitlines()[0] == "1.0000\ta b"
    assert (tmp_path / "model.keras").is_file()
