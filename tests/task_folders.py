"""Folders of models with heads for tasks, changed as a test wants it."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
from runtimes import as_list
from safetensors.numpy import load_file, save_file

DATA = Path(__file__).parent / "data"
TASKS = DATA / "tasks"
TASKS_TF = DATA / "tasks_tf"
# Of float32, for logits up to about 10.
TOLERANCE = 1e-5


def changed_folder(folder, name, tensors=None, **config):
    """Copy a folder of data/tasks, with other tensors (by what changes them) and other keys.

    A key that is None is left out.
    """
    shutil.copytree(TASKS / name, folder)
    given = {**json.loads((folder / "config.json").read_text("utf-8")), **config}
    given = {key: value for key, value in given.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(given), "utf-8")
    if tensors is not None:
        changed = tensors(load_file(folder / "model.safetensors"))
        save_file(changed, folder / "model.safetensors")
    return folder


def assert_same_logits(model, folder):
    """Compare a model's outputs with those that lie in a folder."""
    with np.load(folder / "outputs.npz") as outputs:
        names = ["logits"] if "logits" in outputs else ["start_logits", "end_logits"]
        computed = as_list(model.predict_on_batch([outputs["tokens"], outputs["segments"]]))
        for logits, name in zip(computed, names, strict=True):
            np.testing.assert_allclose(
                np.asarray(logits), outputs[name], rtol=TOLERANCE, atol=TOLERANCE
            )


def makers():
    """The script that made data/tasks, for other folders; it needs transformers."""
    spec = importlib.util.spec_from_file_location("make_tasks", TASKS / "make_tasks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
