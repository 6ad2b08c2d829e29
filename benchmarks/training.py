"""How long a step of fine-tuning takes, and how much memory, next to two peers.

    python benchmarks/training.py [--rounds 5] [--steps 10] [--batch-size 16] [--length 64]

A sentence classifier on a BERT of 6 layers of 384 (12 heads, 1,536 hidden features, 30,522 tokens),
random weights, float32, dropout 0.1 on embeddings and sub-layers; the texts are random and fill
half of the length or more. keras_bert and KerasHub learn by `fit` with AdamWarmup and Keras' AdamW,
transformers by the usual loop with PyTorch's fused AdamW. KerasHub takes part where it is installed
(pip install keras-hub).

Every contestant is a process of its own that builds its model and waits for its turns, so that all
of them meet the same load on the machine. A first, untimed turn compiles; printed are the median
time of a step in the others, its ratio to that of transformers, and the largest resident memory of
the process (libraries included). On a busy machine PyTorch, whose threads wait for each other,
loses most: only the figures of an idle one compare the libraries.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

START = """
import resource, sys, time
import numpy as np
steps, batch_size, length = map(int, sys.argv[1:])
generator = np.random.default_rng(0)
shape = steps * batch_size, length
lengths = generator.integers(length // 2, length + 1, shape[0])
tokens = generator.integers(1000, 30522, shape) * (np.arange(length) < lengths[:, None])
segments, labels = np.zeros_like(tokens), generator.integers(0, 2, shape[0])
"""
KERAS_BERT = """
from keras_bert import AdamWarmup, get_model
from keras_bert.backend import keras
from keras_bert.layers import Extract
inputs, features = get_model(
    30522, seq_len=length, embed_dim=384, transformer_num=6, feed_forward_dim=1536,
    feed_forward_activation="gelu_erf", training=False, trainable=True, output_len=1)
output = keras.layers.Dense(2, activation="softmax")(Extract(0)(features))
model = keras.models.Model(inputs, output)
optimizer = AdamWarmup(10000, 1000, learning_rate=2e-5, weight_decay=0.01)
arrays = [tokens, segments]
"""
KERAS_HUB = """
import keras, keras_hub
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=30522, num_layers=6, num_heads=12, hidden_dim=384, intermediate_dim=1536)
arrays = {"token_ids": tokens, "segment_ids": segments, "padding_mask": tokens != 0}
output = keras.layers.Dense(2, activation="softmax")(backbone.output["sequence_output"][:, 0])
model = keras.Model(backbone.input, output)
optimizer = keras.optimizers.AdamW(2e-5, weight_decay=0.01)
"""
FIT = """
model.compile(optimizer, loss="sparse_categorical_crossentropy")
learn = lambda: model.fit(arrays, labels, batch_size=batch_size, shuffle=False, verbose=0)
"""
TRANSFORMERS = """
import torch
from transformers import BertConfig, BertModel
config = BertConfig(
    hidden_size=384, num_hidden_layers=6, intermediate_size=1536, attention_probs_dropout_prob=0.0)
bert, head = BertModel(config, add_pooling_layer=False).train(), torch.nn.Linear(384, 2)
weights = [*bert.parameters(), *head.parameters()]
optimizer = torch.optim.AdamW(weights, 2e-5, weight_decay=0.01, fused=True)
arrays = [torch.as_tensor(each).long() for each in (tokens, segments, labels)]
def learn():
    for first in range(0, len(tokens), batch_size):
        ids, kinds, targets = (each[first : first + batch_size] for each in arrays)
        mask = (ids != 0).long()
        features = bert(ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state
        loss = torch.nn.functional.cross_entropy(head(features[:, 0]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
"""
# At every line it reads, a contestant learns and answers with the seconds and its memory in KiB.
TURNS = """
for _ in sys.stdin:
    start = time.perf_counter()
    learn()
    seconds = time.perf_counter() - start
    print("turn", seconds / steps, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""
PEER = "transformers, PyTorch"
CONTESTANTS = {
    "Keras 3, TensorFlow": (KERAS_BERT + FIT, {"KERAS_BACKEND": "tensorflow"}),
    "Keras 3, JAX": (KERAS_BERT + FIT, {"KERAS_BACKEND": "jax"}),
    "Keras 3, PyTorch": (KERAS_BERT + FIT, {"KERAS_BACKEND": "torch"}),
    "tf_keras": (KERAS_BERT + FIT, {"TF_KERAS": "1"}),
    PEER: (TRANSFORMERS, {}),
    "KerasHub, TensorFlow": (KERAS_HUB + FIT, {"KERAS_BACKEND": "tensorflow"}),
    "KerasHub, JAX": (KERAS_HUB + FIT, {"KERAS_BACKEND": "jax"}),
    "KerasHub, PyTorch": (KERAS_HUB + FIT, {"KERAS_BACKEND": "torch"}),
}


class Contestant:
    """A process that learns when it is told to."""

    def __init__(self, program: str, settings: dict[str, str], arguments, scratch: str):
        self.seconds: list[float] = []
        self.memory = 0  # KiB
        self.errors = (Path(tempfile.mkdtemp(dir=scratch)) / "errors.txt").open("w+")
        sizes = (arguments.steps, arguments.batch_size, arguments.length)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START + program + TURNS, *map(str, sizes)],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def learn(self) -> None:
        self.process.stdin.write("learn\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("turn "):
                self.seconds.append(float(line.split()[1]))
                self.memory = int(line.split()[2])
                return
        self.errors.seek(0)
        sys.exit(f"A process ended early:\n{self.errors.read()[-3000:]}")

    def step_time(self) -> float:
        """Seconds a step, without the first turn."""
        return statistics.median(self.seconds[1:])


def versions() -> str:
    found = []
    for package in ("keras", "tensorflow", "tf_keras", "jax", "torch", "transformers", "keras-hub"):
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def print_table(contestants: dict[str, Contestant], steps: int) -> None:
    print(f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}")
    print(versions(), end="\n\n")
    print(f"| | ms a step | fastest | × {PEER} | first turn | memory |")
    print("|---|---|---|---|---|---|")
    for name, contestant in contestants.items():
        cells = [
            name,
            f"{contestant.step_time() * 1000:.0f}",
            f"{min(contestant.seconds[1:]) * 1000:.0f}",
            f"{contestant.step_time() / contestants[PEER].step_time():.2f}",
            f"{contestant.seconds[0] * steps:.1f} s",
            f"{contestant.memory / 2**20:.2f} GiB",
        ]
        print("|", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="steps of a turn")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--length", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        contestants = {
            name: Contestant(*contestant, arguments, scratch)
            for name, contestant in CONTESTANTS.items()
            if importlib.util.find_spec("keras_hub") or not name.startswith("KerasHub")
        }
        for number in range(1 + arguments.rounds):
            for contestant in contestants.values():
                contestant.learn()
            print(f"round {number} of {arguments.rounds}", file=sys.stderr, flush=True)
        for contestant in contestants.values():
            contestant.process.stdin.close()
            contestant.process.wait()
    print_table(contestants, arguments.steps)


if __name__ == "__main__":
    main()
