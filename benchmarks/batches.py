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
import statistics

from turns import Contestant

PROGRAM, OLD = "batches_keras_bert.py", "keras-bert 0.89"


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
        OLD: Contestant(PROGRAM, sizes, python=arguments.old_python),
        "this package": Contestant(PROGRAM, sizes),
    }
    results = {name: [] for name in contestants}
    for _ in range(1 + arguments.rounds):  # the first round warms up
        for name, contestant in contestants.items():
            contestant.turn()
            results[name].append(contestant.numbers)
    seconds = {name: statistics.median(row[0] for row in results[name][1:]) for name in results}
    print(f"batch {arguments.batch}, length {arguments.length}, vocabulary {arguments.vocabulary}")
    print(f"{'':24}{'seconds':>9}{'ratio':>8}{'marked':>9}{'[MASK]':>9}{'random':>9}{'swapped':>9}")
    for name, contestant in contestants.items():
        contestant.close()
        shares = map(statistics.mean, list(zip(*results[name], strict=True))[1:])
        cells = f"{name:24}{seconds[name]:9.4f}{seconds[OLD] / seconds[name]:8.1f}"
        print(cells, *(f"{share:8.3f}" for share in shares))


if __name__ == "__main__":
    main()
