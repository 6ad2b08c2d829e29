"""How fast `gen_batch_inputs` makes pretraining batches, next to keras-bert 0.89.

    python benchmarks/batches.py --old-python PYTHON

PYTHON is an interpreter with keras-bert 0.89 on TensorFlow 2.15. Further options:

    --batch 256 --length 512 --vocabulary 30522 --rounds 7

Both make batches from the same sentence pairs, which fill the rows, and take turns, each in a
process of its own, so that they meet the same load on the machine. Printed are the medians and
their ratio, and what the batches hold on average, which has to agree.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

NEW = "from keras_bert import gen_batch_inputs, get_base_dict\noptions = {}\n"
OLD = """
import tensorflow
tensorflow.keras.optimizers.Optimizer = tensorflow.keras.optimizers.legacy.Optimizer
from keras_bert import gen_batch_inputs, get_base_dict
options = {}
"""
# At every line it reads, a contestant makes a batch and answers with seconds and shares.
TURNS = """
import random, sys, time
import numpy as np
batch, length, size, predictions = map(int, sys.argv[1:])
if predictions:
    options["max_predictions"] = predictions
vocabulary = get_base_dict()
for index in range(size - len(vocabulary)):
    vocabulary[f"token{index}"] = len(vocabulary)
tokens = list(vocabulary)
random.seed(0)
np.random.seed(0)
half = (length - 3) // 2
# Zipf's law: the frequency of a word falls with its rank.
weights = [1 / rank for rank in range(1, size - 4)]
pairs = [[random.choices(tokens[5:], weights, k=half) for _ in range(2)] for _ in range(batch)]
for _ in sys.stdin:
    start = time.process_time()
    inputs, outputs = gen_batch_inputs(pairs, vocabulary, tokens, seq_len=length, **options)
    seconds = time.process_time() - start
    ids, _, marks = map(np.asarray, inputs)
    marked = marks == 1
    random_share = 0.0
    if not predictions:
        labels = np.asarray(outputs[0])[..., 0]
        random_share = np.mean((ids != labels)[marked] & (ids != 4)[marked])
    shares = marked.mean(), (ids[marked] == 4).mean(), random_share, np.mean(outputs[1])
    print("result", seconds, *shares, flush=True)
"""


class Contestant:
    """A process that makes a batch when it is told to."""

    def __init__(self, program, sizes, python=None):
        self.seconds: list[float] = []
        self.shares: list[list[float]] = []
        # -I keeps this checkout out of the way of what another interpreter has installed.
        command = [python, "-I"] if python else [sys.executable]
        self.process = subprocess.Popen(
            [*command, "-c", program + TURNS, *map(str, sizes)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def make_batch(self) -> None:
        self.process.stdin.write("batch\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("result "):
                seconds, *shares = map(float, line.split()[1:])
                self.seconds.append(seconds)
                self.shares.append(shares)
                return
        sys.exit("A process ended early.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old-python", required=True)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--vocabulary", type=int, default=30522)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    sizes = arguments.batch, arguments.length, arguments.vocabulary
    contestants = {
        "keras-bert 0.89": Contestant(OLD, [*sizes, 0], arguments.old_python),
        "this package": Contestant(NEW, [*sizes, 0]),
    }
    for _ in range(1 + arguments.rounds):  # the first round warms up
        for contestant in contestants.values():
            contestant.make_batch()
    old = statistics.median(contestants["keras-bert 0.89"].seconds[1:])
    print(f"batch {arguments.batch}, length {arguments.length}, vocabulary {arguments.vocabulary}")
    print(f"{'':24}{'seconds':>9}{'ratio':>8}{'marked':>9}{'[MASK]':>9}{'random':>9}{'swapped':>9}")
    for name, contestant in contestants.items():
        seconds = statistics.median(contestant.seconds[1:])
        shares = [statistics.mean(each) for each in zip(*contestant.shares, strict=True)]
        print(f"{name:24}{seconds:9.4f}{old / seconds:8.1f}", *(f"{s:8.3f}" for s in shares))


if __name__ == "__main__":
    main()
