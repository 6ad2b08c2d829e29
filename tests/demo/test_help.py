"""Demos answer --help before Keras is imported, which takes seconds."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from runtimes import once

DEMO = Path(__file__).resolve().parents[2] / "demo"
COMPARE, DIAGRAM = "load_model/load_and_compare", "visualization/vis"
SCRIPTS = [
    *(COMPARE, "load_model/load_and_extract", "load_model/load_and_pool"),
    *("load_model/load_and_get_attention_map", "load_model/load_and_predict"),
    *("tune/classify", "tune/entities", "tune/sentences", "pretrain", "tiny/pack"),
    "quickstart",
    *("distributed/train_jax", "distributed/train_tensorflow", "distributed/train_torch"),
    DIAGRAM,
]


def run(script, *words):
    """What a demo prints, and the modules that it imports, Python's own among them."""
    command = [sys.executable, "-X", "importtime", str(DEMO / f"{script}.py"), *words]
    # Scripts of a folder import each other.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    imported = {line.rsplit("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "encodings" in imported
    return done.stdout + done.stderr, imported


@once
@pytest.mark.parametrize("script", SCRIPTS)
def test_help(script):
    if script == DIAGRAM:
        pytest.importorskip("matplotlib", reason="draws the picture")
    printed, imported = run(script, "--help")
    assert f"{script.rpartition('/')[2]}.py" in printed
    assert not imported & {"keras", "tensorflow", "tf_keras", "jax", "torch"}


@once
def test_missing_libraries_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = r'Ray and pyarrow must be installed: pip install "\.\[ray\]"'
    with pytest.raises(SystemExit, match=told):
        runpy.run_path(str(DEMO / "extract_ray.py"))


@once
@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        ("tune/classify", "tiny none.tsv none.tsv", "argument train: there is no file none.tsv"),
        ("quickstart", "tny", "Is 'tiny' meant?"),
        ("load_model/load_and_extract", "tny", "argument model: "),
        ("load_model/load_and_pool", "tny", "Is 'tiny' meant?"),
        ("load_model/load_and_predict", "tny", "Is 'tiny' meant?"),
        ("load_model/load_and_get_attention_map", "tny none.png", "Is 'tiny' meant?"),
        (COMPARE, "tny none.png", "Is 'tiny' meant?"),
        (COMPARE, "none.png --texts none.txt", "argument --texts: none.txt: No such file "),
        (COMPARE, "none", "argument picture: must end in .png, .pdf or .svg. Received: none"),
        (COMPARE, "none/a.png", "argument picture: there is no folder none"),
        (DIAGRAM, "none", "argument picture: must end in .png, .pdf or .svg. "),
        (DIAGRAM, "tny none.png", "Is 'tiny' meant?"),
    ],
)
def test_mistakes_too(script, words, message):
    if script in (COMPARE, DIAGRAM) or ".png" in words:
        pytest.importorskip("matplotlib", reason="draws the pictures")
    printed, imported = run(script, *words.split())
    last = printed.splitlines()[-1]
    assert f"{script.rpartition('/')[2]}.py: error: argument " in last
    assert message in last
    assert "keras" not in imported
