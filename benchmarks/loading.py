"""How long it takes from starting Python to a first prediction of BERT-base, and how much memory.

    pip install transformers
    python benchmarks/loading.py [--rounds 3] [--old-python OLD/bin/python]

A model of 12 layers of 768 with random weights is written in both layouts: Google's checkpoint for
keras_bert and keras-bert 0.89, Hugging Face's folder for transformers and for keras_bert again. In
turn every contestant starts a process that imports, loads and computes the features of one text of
8 tokens. The files have been read before, so disks do not count. OLD is a virtual environment with
keras-bert 0.89.0 and tensorflow-cpu 2.15.1. Printed are medians in seconds, and the largest
resident memory of the process in multiples of the weights'.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from turns import RUNTIMES, Contestant, print_machine, print_table

WEIGHTS = 109_482_240 * 4  # bytes, pooler included


def write_models(folder: Path, google: Path) -> None:
    """Write BERT-base with random weights as transformers does, and in Google's format."""
    from transformers import BertConfig, BertModel

    # The tanh form of GELU is that of models in Google's format.
    BertModel(BertConfig(hidden_act="gelu_new")).save_pretrained(folder)
    tokens = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [f"token{i}" for i in range(30522 - len(tokens))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", "utf-8")
    convert = [sys.executable, "-m", "keras_bert", "convert", folder, google, "--to", "google"]
    subprocess.run(convert, check=True)


def start_once(*arguments) -> list[float]:
    """Start a process; returns its seconds to import, load and predict, and its memory in KiB."""
    contestant = Contestant(*arguments)
    contestant.turn()
    contestant.close()
    return [*contestant.numbers, contestant.memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--old-python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, google = Path(scratch, "hf"), Path(scratch, "google")
        write_models(folder, google)
        ours, theirs = "loading_keras_bert.py", "loading_transformers.py"
        contestants = {name: (ours, [google], settings) for name, settings in RUNTIMES.items()}
        for name, settings in RUNTIMES.items():
            contestants[f"{name}, Hugging Face's file"] = ours, [folder], settings
        contestants["transformers, PyTorch"] = theirs, [folder]
        if options.old_python:
            contestants["keras-bert 0.89"] = ours, [google], {}, options.old_python
        results = {name: [] for name in contestants}
        for _ in range(1 + options.rounds):  # the first reads the files into memory
            for name, arguments in contestants.items():
                results[name].append(start_once(*arguments))
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch", "transformers")
    rows = []
    for name, rounds in results.items():
        *seconds, memory = map(statistics.median, zip(*rounds[1:], strict=True))
        cells = [f"{each:.1f}" for each in (*seconds, sum(seconds))]
        rows.append([name, *cells, f"{memory * 1024 / WEIGHTS:.2f}"])
    print_table(["", "import", "load", "first prediction", "sum", "memory / weights"], rows)


if __name__ == "__main__":
    main()
