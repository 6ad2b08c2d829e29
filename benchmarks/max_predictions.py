"""Memory and time of a pretraining step with the MLM head at masked or at all positions.

    python benchmarks/max_predictions.py [--layers 2 --hidden 128 --batch 16 --length 128]

Every line is a process of its own on the Keras backend that KERAS_BACKEND names (or TF_KERAS=1).
Printed are the CPU seconds of a training step, median of those after the first, by how much the
steps raised the process's peak memory, and the loss on the same batch without dropout.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

VOCABULARY = 30522


def measure(arguments, max_predictions: int | None) -> None:
    from keras_bert import compile_model, get_model
    from keras_bert.backend import keras

    keras.utils.set_random_seed(0)
    rows, length = arguments.batch, arguments.length
    model = get_model(
        VOCABULARY,
        pos_num=length,
        seq_len=length,
        embed_dim=arguments.hidden,
        transformer_num=arguments.layers,
        head_num=arguments.hidden // 64,
        feed_forward_dim=4 * arguments.hidden,
        dropout_rate=0.0,
        max_predictions=max_predictions,
    )
    compile_model(model)
    random = np.random.RandomState(0)
    tokens = random.randint(1, VOCABULARY, size=(rows, length))
    marks = np.zeros_like(tokens)
    for row in marks:
        row[random.permutation(length)[: arguments.max_predictions]] = 1
    labels = tokens if max_predictions is None else tokens[marks == 1].reshape(rows, -1)
    batch = (tokens, 0 * tokens, marks), (labels[..., None], np.zeros((rows, 1)))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for step in range(1 + arguments.steps):
        start = time.process_time()
        loss = model.train_on_batch(*batch)[0]
        seconds.append(time.process_time() - start)
        if step == 0:
            first_loss = float(loss)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    label = "all positions" if max_predictions is None else "masked positions"
    time_column = f"{statistics.median(seconds[1:]):12.2f} s"
    print(f"{label:16}{time_column}{memory:12.0f} MiB{first_loss:14.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {
        "layers": 2,
        "hidden": 128,
        "batch": 16,
        "length": 128,
        "max-predictions": 20,
        "steps": 3,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--measure", choices=["all", "masked"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments, arguments.max_predictions if arguments.measure == "masked" else None)
        return
    print(f"{'MLM head at':16}{'CPU time':>14}{'memory':>16}{'loss':>14}", flush=True)
    for positions in ("all", "masked"):
        subprocess.run([sys.executable, *sys.argv, "--measure", positions], check=True)


if __name__ == "__main__":
    main()
