"""Demos answer --help before Keras is imported, which takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runtimes import once

DEMO = Path(__file__).resolve().parents[2] / "demo"
SCRIPTS = [
    *("load_model/load_and_compare", "load_model/load_and_extract", "load_model/load_and_pool"),
    *("load_model/load_and_get_attention_map", "load_model/load_and_predict"),
    *("tune/classify", "tune/entities", "tune/sentences", "pretrain", "tiny/pack"),
    *("distributed/train_jax", "distributed/train_tensorflow"),
]


@once
@pytest.mark.parametrize("script", SCRIPTS)
def test_help(script):
    words = [sys.executable, "-X", "importtime", str(DEMO / f"{script}.py"), "--help"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert f"{script.rpartition('/')[2]}.py" in done.stdout + done.stderr
    imported = {line.rsplit("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "pathlib" in imported
    assert not imported & {"keras", "tensorflow", "tf_keras", "jax", "torch"}


@once
def test_mistakes_too():
    script = str(DEMO / "tune/classify.py")
    words = [sys.executable, "-X", "importtime", script, "tiny", "none.tsv", "none.tsv"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("argument train: there is no file none.tsv")
    assert "keras" not in {line.rsplit("|")[-1].strip() for line in done.stderr.splitlines()}
