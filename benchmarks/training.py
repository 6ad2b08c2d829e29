"""How long a step of fine-tuning takes, and how much memory, next to two peers.

    python benchmarks/training.py [--rounds 5] [--steps 10] [--batch-size 16] [--length 64]
        [--layers 6] [--size 384] [--dtype float32] [--plain]
        [--optimizer AdamWarmup] [--only NAME …]

A sentence classifier on a BERT of 6 layers of 384 (12 heads, 1,536 hidden features, 30,522 tokens),
random weights, dropout 0.1 on embeddings and sub-layers; the texts are random and fill half of the
length or more. keras_bert and KerasHub learn by `fit` with AdamWarmup and Keras' AdamW,
transformers by the usual loop with PyTorch's fused AdamW. With --plain, keras_bert computes
features of all positions, of which `Lambda(lambda x: x[:, 0])` takes the first, as old scripts have
it, and nobody's texts have padding; --optimizer AdamW is Keras' own, for keras_bert as well.
Without it, keras_bert computes the last layer for the first position alone (`output_len=1`), as the
demo does. KerasHub takes part where it is installed (pip install keras-hub); it has dropout on
attention probabilities, too, which the others leave alone. In bfloat16, layers compute in it
and weights stay float32: Keras' "mixed_bfloat16", PyTorch's autocast. Where there is a GPU, all use
it.

A first, untimed turn compiles; printed are the median time of a step in the others, its ratio to
that of transformers, the fastest, the first turn and the largest resident memory of the process,
libraries included. Only an idle machine compares the libraries, see turns.py.
"""

from __future__ import annotations

import argparse
import importlib.util

from turns import KERAS_HUB, RUNTIMES, Contestant, print_machine, print_table, take_turns, typical

PEER = "transformers, PyTorch"


def start(only: list[str] | None, *sizes) -> dict[str, Contestant]:
    """Start everyone who is installed and wanted."""
    programs = {name: ("training_keras_bert.py", settings) for name, settings in RUNTIMES.items()}
    programs[PEER] = "training_transformers.py", {}
    if importlib.util.find_spec("keras_hub"):
        for name, settings in KERAS_HUB.items():
            programs[name] = "training_keras_hub.py", settings
    return {
        name: Contestant(program, sizes, settings)
        for name, (program, settings) in programs.items()
        if not only or name in only
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="steps of a turn")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--plain", action="store_true", help="as old scripts have it, no padding")
    parser.add_argument("--optimizer", default="AdamWarmup", choices=["AdamWarmup", "AdamW"])
    parser.add_argument("--only", nargs="+")
    arguments = parser.parse_args()
    contestants = start(
        arguments.only,
        *(arguments.steps, arguments.batch_size, arguments.length),
        *(arguments.layers, arguments.size, arguments.dtype),
        *(int(arguments.plain), arguments.optimizer),
    )
    seconds = take_turns(contestants, arguments.rounds)
    rows, compared = [], PEER in contestants
    for name, contestant in contestants.items():
        first, *others = seconds[name]
        row = [
            name,
            f"{typical(seconds[name]) / arguments.steps * 1000:.3g}",
            f"{min(others) / arguments.steps * 1000:.3g}",
            *([f"{typical(seconds[name]) / typical(seconds[PEER]):.2f}"] if compared else []),
            f"{first:.1f} s",
            f"{contestant.memory / 2**20:.2f} GiB",
        ]
        rows.append(row)
        contestant.close()
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch", "transformers", "keras-hub")
    titles = ["", "ms a step", "fastest", *([f"× {PEER}"] if compared else [])]
    print_table([*titles, "first turn", "memory"], rows)


if __name__ == "__main__":
    main()
