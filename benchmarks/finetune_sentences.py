"""Whether sentence models learn as much as in sentence-transformers, by the same recipe.

    pip install sentence-transformers==6.2.0
    python benchmarks/finetune_sentences.py MODEL train.tsv dev.tsv [--runtime "Keras 3, JAX"]

MODEL is a folder of sentence-transformers; the tables have pairs of texts that belong together, as
demo/tune/sentences.py takes them. Both learn from the same pairs by in-batch negatives (temperature
0.05) for one epoch: this library by that script, sentence-transformers by its
`MultipleNegativesRankingLoss` in a loop with the same update (torch_peer.py), steps, weight decay
and dropout, of which attention probabilities have none here. The order of the pairs is drawn by the
seed, which is another one on either side. Printed is how often, on dev, a text's own counterpart is
the nearest of all, before and after, by sentence-transformers' vectors of both folders.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from turns import RUNTIMES, print_machine, print_table

DEMO = Path(__file__).resolve().parents[1] / "demo/tune/sentences.py"
sys.path.insert(0, str(DEMO.parent))


def read(path: str, limit: int | None) -> list[tuple[str, str]]:
    from sentences import read_rows  # of the demo

    texts, _ = read_rows(path, limit)
    return texts


def nearest(folder: str, pairs: list[tuple[str, str]]) -> float:
    """The share of texts whose own counterpart is nearest, by sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    first, second = (
        model.encode(column, normalize_embeddings=True) for column in zip(*pairs, strict=True)
    )
    seconds = np.array([pair[1] for pair in pairs])
    return float(np.mean(seconds[np.argmax(first @ second.T, axis=1)] == seconds))


def train_here(arguments, folder: Path, seed: int) -> None:
    options = ["--batch-size", arguments.batch_size, "--learning-rate", arguments.learning_rate]
    options += ["--max-len", arguments.max_len, "--seed", seed, "--output", folder.parent / "curve"]
    if arguments.limit:
        options += ["--limit", arguments.limit]
    subprocess.run(
        [sys.executable, DEMO, arguments.model, arguments.train, arguments.dev, "--save", folder]
        + [str(option) for option in options],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **RUNTIMES[arguments.runtime]},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def train_there(arguments, folder: Path, seed: int) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from torch_peer import AdamWarmup

    torch.manual_seed(seed)
    no_dropout = {"attention_probs_dropout_prob": 0.0}
    model = SentenceTransformer(arguments.model, device="cpu", config_kwargs=no_dropout)
    model.max_seq_length = arguments.max_len
    loss = MultipleNegativesRankingLoss(model, scale=20.0)
    pairs = read(arguments.train, arguments.limit)
    size = arguments.batch_size
    steps = -(-len(pairs) // size)
    optimizer = AdamWarmup(model, steps, int(0.1 * steps), arguments.learning_rate)
    model.train()
    order = np.random.default_rng(1000 + seed).permutation(len(pairs))
    for start in range(0, len(pairs), size):
        chosen = [pairs[index] for index in order[start : start + size]]
        features = [model.preprocess(list(column)) for column in zip(*chosen, strict=True)]
        optimizer.zero_grad()
        loss(features, None).backward()
        optimizer.step()
    model.eval()
    model.save(str(folder), create_model_card=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("train")
    parser.add_argument("dev")
    parser.add_argument("--runtime", choices=RUNTIMES, default="Keras 3, PyTorch")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    parser.add_argument("--max-len", type=int, default=64)
    parser.add_argument("--limit", type=int, help="use only the first N pairs")
    arguments = parser.parse_args()
    dev = read(arguments.dev, arguments.limit)
    contestants = {arguments.runtime: train_here, "sentence-transformers": train_there}
    rows = []
    for name, train in contestants.items():
        scores = []
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as scratch:
                train(arguments, Path(scratch) / "tuned", seed)
                scores.append(nearest(str(Path(scratch) / "tuned"), dev))
            print(f"{name}, seed {seed}: {scores[-1]:.4f}", file=sys.stderr)
        rows.append([name, *(f"{each:.4f}" for each in scores), f"{statistics.mean(scores):.4f}"])
    print_machine("keras", "torch", "sentence-transformers")
    print(f"before: {nearest(arguments.model, dev):.4f} of {len(dev)} pairs")
    print_table(["", *(f"seed {seed}" for seed in range(arguments.seeds)), "mean"], rows)


if __name__ == "__main__":
    main()
