"""Time and memory of `extract_embeddings_generator` from a thousand to a million texts.

    python benchmarks/scaling.py --texts FILE [--counts 1000 10000 100000 1000000]
        [--only "Keras 3, TensorFlow" …] [--model FOLDER]

FILE holds a text in every line; what follows a tab is ignored. From its words, texts are drawn that
are as long as its own, in any order, so that few come twice. Every count is a process of its own,
which makes mean vectors by the model of the package, or that of FOLDER, and keeps none of them.
Printed are the seconds, without import, loading and a first hundred texts, and the largest resident
memory of the process.
"""

from __future__ import annotations

import argparse

from turns import RUNTIMES, Contestant, print_machine, print_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--counts", nargs="+", type=int, default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=RUNTIMES, default=["Keras 3, TensorFlow"])
    arguments = parser.parse_args()
    rows = []
    for name in arguments.only:
        for count in arguments.counts:
            words = [arguments.model, arguments.texts]
            contestant = Contestant("scaling_keras_bert.py", words, RUNTIMES[name])
            seconds = contestant.turn(count)
            memory = f"{contestant.memory / 2**20:.2f} GiB"
            rows.append([name, f"{count:,}", f"{seconds:.1f}", f"{count / seconds:.0f}", memory])
            contestant.close()
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch")
    print_table(["", "texts", "seconds", "texts a second", "memory"], rows)


if __name__ == "__main__":
    main()
