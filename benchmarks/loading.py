"""How long it takes from starting Python to a first prediction of BERT-base, and how much memory.

    pip install transformers
    python benchmarks/loading.py [--rounds 3] [--old-python OLD/bin/python]

A model of 12 layers of 768 with random weights is written in both layouts: Google's checkpoint for
keras_bert and keras-bert 0.89, Hugging Face's folder for transformers and for keras_bert again. In
turn every contestant starts a process that imports, loads and predicts the features of one text of
8 tokens. The files have been read before, so disks do not count. OLD is a virtual environment with
keras-bert 0.89.0 and tensorflow-cpu 2.15.1. Printed are medians in seconds, and the largest
resident memory of the process in multiples of the weights'.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from turns import OLD, RUNTIMES, print_machine, print_table

MAKE = """
import sys
from transformers import BertConfig, BertModel
folder = sys.argv[1]
BertModel(BertConfig(hidden_act="gelu_new")).save_pretrained(folder)  # Google's form
tokens = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokens += [f"token{i}" for i in range(30522 - len(tokens))]
open(folder + "/vocab.txt", "w").write("\\n".join(tokens) + "\\n")
"""
START = """
import json, resource, sys, time
import numpy as np
folder, times = sys.argv[1], [time.perf_counter()]
tokens = np.array([[101, 1000, 2000, 3000, 4000, 5000, 6000, 102]])
def done(what):
    times.append(time.perf_counter())
"""
NEW = """
from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint
done("import")
paths = get_checkpoint_paths(folder)
model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
done("load")
np.asarray(model.predict_on_batch([tokens, np.zeros_like(tokens)]))
"""
OLD_KERAS_BERT = """
from keras_bert import load_trained_model_from_checkpoint
done("import")
model = load_trained_model_from_checkpoint(
    folder + "/bert_config.json", folder + "/bert_model.ckpt", seq_len=None)
done("load")
np.asarray(model.predict_on_batch([tokens, np.zeros_like(tokens)]))
"""
TRANSFORMERS = """
import torch
from transformers import BertModel
done("import")
model = BertModel.from_pretrained(folder).eval()
done("load")
with torch.inference_mode():
    model(torch.as_tensor(tokens)).last_hidden_state.numpy()
"""
END = """
done("predict")
times = [end - start for start, end in zip(times, times[1:])]
print("times", json.dumps([*times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""
WEIGHTS = 109_482_240 * 4  # bytes, pooler included


def run(program: str, folder, settings=(), python=None) -> list[float]:
    """Start a process; returns its seconds to import, load and predict, and its memory in KiB."""
    command = [python, "-I"] if python else [sys.executable]
    finished = subprocess.run(
        [*command, "-c", program, str(folder)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **dict(settings)},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        sys.exit(f"A process failed:\n{finished.stderr[-3000:]}")
    lines = finished.stdout.splitlines()
    return json.loads(next(line for line in lines if line.startswith("times ")).split(" ", 1)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--old-python")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        theirs, google = Path(scratch, "hf"), Path(scratch, "google")
        subprocess.run([sys.executable, "-c", MAKE, str(theirs)], check=True)
        subprocess.run(
            [sys.executable, "-m", "keras_bert", "convert", theirs, google, "--to", "google"],
            check=True,
        )
        new = START + NEW + END
        contestants = {name: (new, google, settings) for name, settings in RUNTIMES.items()}
        contestants |= {
            f"{name}, Hugging Face's file": (new, theirs, settings)
            for name, settings in RUNTIMES.items()
        }
        contestants["transformers, PyTorch"] = START + TRANSFORMERS + END, theirs
        if arguments.old_python:
            program = START + OLD + OLD_KERAS_BERT + END
            contestants["keras-bert 0.89"] = program, google, (), arguments.old_python
        results = {name: [] for name in contestants}
        for _ in range(1 + arguments.rounds):  # the first reads the files into memory
            for name, contestant in contestants.items():
                results[name].append(run(*contestant))
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch", "transformers")
    rows = []
    for name, rounds in results.items():
        *seconds, memory = map(statistics.median, zip(*rounds[1:], strict=True))
        cells = [f"{each:.1f}" for each in (*seconds, sum(seconds))]
        rows.append([name, *cells, f"{memory * 1024 / WEIGHTS:.2f}"])
    print_table(["", "import", "load", "first prediction", "sum", "memory / weights"], rows)


if __name__ == "__main__":
    main()
