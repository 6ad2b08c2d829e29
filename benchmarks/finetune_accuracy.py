"""The accuracy that demo/tune/classify.py reaches, next to transformers by the same recipe.

    python benchmarks/finetune_accuracy.py MODEL train.tsv dev.tsv [--seeds 0 1 2]
        [--runtimes tensorflow jax torch tf_keras] [--no-peer] [options of demo/tune/classify.py]

Every training is a process of its own, one after the other. A seed decides the order of the batches
(the same for all contestants), the head's first values and dropout (not the same: each library
draws its own numbers). Printed are the accuracy on dev after the last epoch, its mean over the
seeds and the minutes that the trainings took.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLASSIFY = HERE.parent / "demo/tune/classify.py"
CONTESTANTS = {
    "tensorflow": ("Keras 3, TensorFlow", CLASSIFY, {"KERAS_BACKEND": "tensorflow"}),
    "jax": ("Keras 3, JAX", CLASSIFY, {"KERAS_BACKEND": "jax"}),
    "torch": ("Keras 3, PyTorch", CLASSIFY, {"KERAS_BACKEND": "torch"}),
    "tf_keras": ("tf_keras", CLASSIFY, {"TF_KERAS": "1"}),
    "transformers": (
        "transformers, PyTorch",
        HERE / "torch_peer.py",
        {"KERAS_BACKEND": "torch"},  # for the modules it shares with the demo
    ),
}


def train(script: Path, settings: dict, options: list[str]) -> float:
    """Run a training; returns the accuracy that it printed last."""
    finished = subprocess.run(
        [sys.executable, script, *options],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **settings},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        sys.exit(f"{script} failed:\n{finished.stderr[-3000:]}")
    lines = finished.stdout.splitlines()
    return float([line for line in lines if line.startswith("epoch ")][-1].split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", default=["0", "1", "2"])
    parser.add_argument("--runtimes", nargs="*", default=["tensorflow", "jax"])
    parser.add_argument("--no-peer", action="store_true")
    arguments, options = parser.parse_known_args()
    names = [*arguments.runtimes, *([] if arguments.no_peer else ["transformers"])]
    print(
        "|", " | ".join(["", *(f"seed {seed}" for seed in arguments.seeds)]), "| mean | minutes |"
    )
    print("|---" * (len(arguments.seeds) + 3) + "|")
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            title, script, settings = CONTESTANTS[name]
            start = time.perf_counter()
            scores = [
                train(script, settings, [*options, "--seed", seed, "--output", scratch])
                for seed in arguments.seeds
            ]
            cells = [title, *(f"{score:.2%}" for score in scores)]
            minutes = (time.perf_counter() - start) / 60
            cells += [f"{sum(scores) / len(scores):.2%}", f"{minutes:.1f}"]
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
