"""Arguments of pretrain.py; without Keras, so that --help is answered at once."""

import argparse
from math import inf
from pathlib import Path

ARCHITECTURE = {  # options that --initial determines: default, range and meaning
    "vocabulary": (8000, (8, inf), "most tokens in the vocabulary"),
    "cased": (0, (0, 1), "1 keeps case and accents, 0 removes them"),
    "layers": (4, (1, inf), "encoder layers"),
    "hidden": (256, (1, inf), "hidden size, a multiple of the number of heads"),
    "heads": (4, (1, inf), "attention heads"),
    "feed_forward": (1024, (1, inf), "hidden size of the feed-forward layers"),
}
TRAINING = {
    "shard": (1_000_000, (1, inf), "tokens in a shard"),
    "length": (128, (5, inf), "tokens in a row"),
    "short": (0.0, (0.0, 1.0), "share of rows that are shortened, each to a random length"),
    "predictions": (0, (0, inf), "most masked tokens in a row; 0 means 15 % of its length, + 1"),
    "dropout": (0.1, (0.0, 0.99), "dropout rate"),
    "batch": (32, (1, inf), "rows in a batch"),
    "steps": (10_000, (1, inf), "training steps"),
    "warmup": (1000, (0, inf), "warm-up steps; if not given, a tenth of all steps"),
    "learning_rate": (5e-4, (0.0, 1.0), "peak learning rate"),
    "seed": (0, (0, 2**32 - 1), "seed for all random numbers"),
}
OPTIONS = {**ARCHITECTURE, **TRAINING}  # all that determines the result of a run


def argument_parser(description):
    parser = argparse.ArgumentParser(
        usage="pretrain.py RUN [--texts FILE [FILE ...]] [options]",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument("--texts", nargs="+", metavar="FILE", default=argparse.SUPPRESS)
    parser.add_argument("--initial", metavar="MODEL", default=argparse.SUPPRESS)
    parser.add_argument("--save-every", type=int, default=200, help="steps between saved states")
    for name, (default, _, text) in OPTIONS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=argparse.SUPPRESS,
            help=f"{text} ({default})".replace("%", "%%"),
        )
    return parser
