"""Every command that needs Keras, in a process of its own, as users run it."""

import re

import numpy as np
import pytest
from command_line import as_json, start
from numpy_functions import softmax
from task_folders import TASKS

from keras_bert import extract_embeddings


@pytest.mark.slow
def test_commands_with_keras(google, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # as users have it
    commands = {
        "extract": ["extract", google, "--layers", "-1,-2"],
        "fill": ["fill", google, "--top", "2"],
        "similar": ["similar", google, "--query", "a b"],
        "classify": ["classify", TASKS / "bert-sequence", "--json"],
        "show": ["show", google, "a b c", "-o", tmp_path / "page.html"],
        "convert": ["convert", google, tmp_path / "model.keras"],
    }
    texts = {"extract": "a b c\na ||| b\n", "fill": "a [MASK] c\n", "similar": "c d\na b\n"}
    texts["classify"] = "a b c\n"
    started = {name: start(*words) for name, words in commands.items()}
    try:
        done = {
            name: each.communicate(texts.get(name), timeout=280) for name, each in started.items()
        }
    finally:
        for each in started.values():
            each.kill()
    assert {each.returncode for each in started.values()} == {0}, done
    file, page = tmp_path / "model.keras", tmp_path / "page.html"
    written = f"keras-bert convert: {file} written, {file.stat().st_size / 1e6:.1f} MB"
    written += f"; its vocabulary is {tmp_path / 'vocab.txt'}\n"
    size = page.stat().st_size // 1000
    shown = f"keras-bert show: {page} is written, {size} kB: open it in a browser\n"
    messages = {"convert": written, "show": shown}
    for name, (_, err) in done.items():
        told = re.sub(r" written in [0-9.]+ s,", " written,", err)
        assert told == messages.get(name, ""), name

    lines = as_json(done["extract"][0])
    expected = extract_embeddings(str(google), ["a b c", ("a", "b")])
    for index, (line, array) in enumerate(zip(lines, expected, strict=True)):
        assert line["linex_index"] == index
        last = [feature["layers"][0]["values"] for feature in line["features"]]
        np.testing.assert_allclose(last, array, atol=2e-6)  # six digits, and another batch
    assert len(done["fill"][0].splitlines()) == 3
    assert done["similar"][0].splitlines()[0] == "1.0000\ta b"
    assert file.is_file()
    # Token, id, segment, start and end.
    assert '"tokens":[["[CLS]",2,0,0,0],["a",5,0,0,1],' in page.read_text("utf-8")
    with np.load(TASKS / "bert-sequence" / "outputs.npz") as outputs:
        probabilities = softmax(outputs["logits"][0].astype("float64"))  # of "a b c"
    (found,) = as_json(done["classify"][0])
    values = [each["probability"] for each in found["labels"]]
    np.testing.assert_allclose(values, np.sort(probabilities)[::-1], rtol=0, atol=1e-5)
