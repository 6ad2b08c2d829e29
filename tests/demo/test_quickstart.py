"""The quickstart: its numbers against another way to them, and that it convinces."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from command_line import start as start_process
from model_folders import CONFIG, WORDS, write_google_folder
from runtimes import once

DEMO = Path(__file__).resolve().parents[2] / "demo"
TITLES = ("What stands behind", "Does it follow", "How similar is it")


def start(monkeypatch, capsys, *arguments):
    """The lines of each part of the output: text, and what is printed beside it."""
    monkeypatch.setattr(sys, "argv", ["quickstart.py", *map(str, arguments)])
    code = compile((DEMO / "quickstart.py").read_text("utf-8"), "quickstart.py", "exec")
    names = {"__name__": "__main__"}
    exec(code, names)
    *parts, last = capsys.readouterr().out.strip().split("\n\n")
    assert re.fullmatch(r"A model of [\d.]+ million weights, loaded and run in .* seconds\.", last)
    lines = [part.splitlines() for part in parts]
    assert [line[0].startswith(title) for line, title in zip(lines, TITLES, strict=True)] == [
        True
    ] * 3
    assert all(len(line) <= 110 for part in lines for line in part)
    return names, [[re.split(" {2,}", line.strip()) for line in part[1:]] for part in lines]


@pytest.mark.slow
def test_the_model_of_the_package_does_well_on_its_examples(monkeypatch, capsys):
    names, (masked, following, similar) = start(monkeypatch, capsys)
    assert [first.split()[0] for _, first, *_ in masked] == [
        "pacific",
        "whale",
        "union",
        "language",
    ]
    true, *others = [float(probability) for _, probability in following]
    assert true > 0.95
    assert max(others) < 0.1
    assert similar[0][0] == "Our troops were defeated."
    assert float(similar[0][1]) > float(similar[1][1]) + 0.3
    # As the command line has them, in full.
    lines = run(capsys, monkeypatch, "fill", "tiny", *names["MASKED"], "--top", "3")[1].splitlines()
    for text, *guesses in masked:
        at = lines.index(text)
        expected = [line.split("\t") for line in lines[at + 1 : at + 4]]
        assert [guess.split()[0] for guess in guesses] == [token for _, token in expected]
        values = [float(guess.split()[1]) for guess in guesses]
        np.testing.assert_allclose(values, [float(each) for each, _ in expected], atol=6e-3)


@pytest.mark.slow
@once
def test_the_engine_says_nothing_of_its_start(monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)  # as users have it
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    process = start_process(prefix=(DEMO / "quickstart.py",))
    out, err = process.communicate(timeout=280)
    assert (process.returncode, err) == (0, "")
    assert out.startswith(TITLES[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Most tokens")
def test_another_model(monkeypatch, capsys, tmp_path):
    config = {**CONFIG, "max_position_embeddings": 128}
    write_google_folder(tmp_path, config, vocabulary=WORDS)
    _, parts = start(monkeypatch, capsys, tmp_path)
    assert [len(part) for part in parts] == [4, 3, 4]
