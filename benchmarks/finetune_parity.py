"""Whether fine-tuning follows transformers step by step: losses of 200 steps on the same batches.

    python benchmarks/finetune_parity.py MODEL train.tsv [--steps 200] [--batch-size 8]

MODEL is a folder of Hugging Face's layout, train.tsv as demo/tune/classify.py takes it. Every
contestant is a process that starts from the same weights, classifier included, without dropout, in
float32, and learns from the same batches by AdamWarmup (in PyTorch by the same formula, written
with PyTorch's own operations: torch_peer.py). Printed is the largest difference of a step's loss
to that of transformers on PyTorch. A last row has transformers in float64: what rounding alone does
to PyTorch's own losses.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from turns import RUNTIMES, print_table

HERE = Path(__file__).resolve().parent
PEER, EXACT = "transformers, PyTorch", "transformers, PyTorch, float64"
CONTESTANTS = {
    PEER: {"KERAS_BACKEND": "torch"},  # for the demo's modules, which import keras_bert
    **RUNTIMES,
    EXACT: {"KERAS_BACKEND": "torch"},
}
LEARNING_RATE = 5e-5


def make_batches(arguments):
    """The first batches of an epoch; in every process the same."""
    sys.path.insert(0, str(HERE.parent / "demo/tune"))
    from common import Batches
    from tables import as_numbers, read_table

    from keras_bert import Tokenizer, get_checkpoint_paths, load_vocabulary

    texts, labels = read_table(arguments.train)
    tokenizer = Tokenizer(load_vocabulary(get_checkpoint_paths(arguments.model).vocab))
    rows = [tokenizer.encode(text, max_len=64) for (text,) in texts]
    tokens, segments = (np.array(each, "int32") for each in zip(*rows, strict=True))
    classes = sorted(set(labels))
    targets = as_numbers(labels, classes, arguments.train)
    batches = Batches([tokens, segments], targets, arguments.batch_size, seed=0)
    return [batches[index] for index in range(arguments.steps)], len(classes)


def first_kernel(width, class_count):
    """What the classifier's kernel starts from, in every process the same."""
    return np.random.default_rng(0).normal(0, 0.02, (width, class_count)).astype("float32")


def keras_losses(arguments) -> list[float]:
    from keras_bert import AdamWarmup, get_checkpoint_paths, load_trained_model_from_checkpoint
    from keras_bert.backend import keras
    from keras_bert.layers import Extract
    from keras_bert.training.pretraining import DECAYED_WEIGHTS

    batches, class_count = make_batches(arguments)
    paths = get_checkpoint_paths(arguments.model)
    bert = load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, trainable=True, seq_len=None, dropout_rate=0.0
    )
    head = keras.layers.Dense(class_count, activation="softmax")
    model = keras.models.Model(bert.inputs, head(Extract(0)(bert.output)))
    head.set_weights([first_kernel(bert.output.shape[-1], class_count), np.zeros(class_count)])
    optimizer = AdamWarmup(
        arguments.steps,
        arguments.steps // 10,
        learning_rate=LEARNING_RATE,
        weight_decay=0.01,
        weight_decay_pattern=list(DECAYED_WEIGHTS),
    )
    model.compile(optimizer, loss="sparse_categorical_crossentropy")
    losses = []
    for inputs, targets in batches:
        model.reset_metrics()  # Keras 3 reports the mean since the last reset
        losses.append(float(model.train_on_batch(inputs, targets)))
    return losses


def torch_losses(arguments, dtype) -> list[float]:
    import torch
    from torch_peer import AdamWarmup, Classifier, train_step

    batches, class_count = make_batches(arguments)
    model = Classifier(arguments.model, class_count, dropout=0.0).to(getattr(torch, dtype)).train()
    with torch.no_grad():
        kernel = first_kernel(model.head.in_features, class_count)
        model.head.weight.copy_(torch.as_tensor(kernel.T))
    optimizer = AdamWarmup(model, arguments.steps, arguments.steps // 10, LEARNING_RATE)
    return [train_step(model, optimizer, batch) for batch in batches]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        name, target = arguments.contestant
        if name in (PEER, EXACT):
            losses = torch_losses(arguments, "float64" if name == EXACT else "float32")
        else:
            losses = keras_losses(arguments)
        np.save(target, losses)
        return
    losses = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, settings) in enumerate(CONTESTANTS.items()):
            target = os.path.join(scratch, f"{number}.npy")
            finished = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--contestant", name, target],
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **settings},
                capture_output=True,
                text=True,
            )
            if finished.returncode:
                sys.exit(f"{name} failed:\n{finished.stderr[-3000:]}")
            losses[name] = np.load(target)
    rows = []
    for name, values in losses.items():
        difference = np.abs(values - losses[PEER]).max()
        rows.append([name, f"{values[0]:.6f}", f"{values[-20:].mean():.6f}", f"{difference:.1e}"])
    print_table(["", "first loss", "mean of the last 20", f"largest difference to {PEER}"], rows)


if __name__ == "__main__":
    main()
