"""Scripts of 2018–2021 in processes of their own: names stay put in place for a whole process."""

import json

import pytest
from command_line import start
from runtimes import RUNTIME

# The settings of the other runtimes would only be in the way; importing TensorFlow takes seconds.
on_keras_2 = [
    pytest.mark.skipif(RUNTIME != "tf_keras", reason="Keras 2"),
    pytest.mark.slow,
    pytest.mark.every_runtime,
]


def run_script(
    folder, source, *arguments, options=(), prefix=("-m", "keras_bert", "run"), **environment
):
    """Run a script by the command; returns exit code, output and messages."""
    path = folder / "script.py"
    path.write_text(source, "utf-8")
    settings = {"TF_KERAS": "", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    settings.update(environment)
    process = start(*options, path, *arguments, prefix=prefix, environment=settings, cwd=folder)
    output, messages = process.communicate(timeout=600)
    return process.returncode, output, messages


def results_of(folder, source, **options):
    """The JSON that a script prints as its last line, and the line that says what it used."""
    code, output, messages = run_script(folder, source, **options)
    assert code == 0, messages[-3000:]
    return json.loads(output.splitlines()[-1]), messages.splitlines()[-1]
