"""Whether memory stays flat over very many calls, loads and new words.

    python benchmarks/soak.py [--only "Keras 3, TensorFlow" …] [--share 1.0] [--picture soak.svg]

On every runtime, one process makes 50,000 calls of `predict_on_batch` and as many of
`extract_embeddings`, of changing lengths, loads and deletes a model 200 times, and tokenizes
5 million words that it has not met before, with the small model of the package. Its resident memory
is read fifty times in each job. The first tenth of a job warms up: caches fill, and JAX compiles
every length. Printed is by how much memory has grown from then to its highest; the picture shows
all readings. `--share 0.01` tries it with a hundredth of the calls. `--at-once 2` has two runtimes
share the machine, which changes the time that it takes, and no memory. Linux only.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from turns import RUNTIMES, Contestant, print_machine, print_table

JOBS = {
    "predict_on_batch": 50_000,
    "extract_one_text": 50_000,
    "load_and_delete": 200,
    "tokenize_new_word": 5_000_000,
}
READINGS = 50
WARM_UP = READINGS // 10


def calls_of_reading(calls: int, share: float) -> int:
    return max(1, int(calls * share / READINGS))


def soak(runtime: str, share: float) -> dict[str, list[float]]:
    """The readings of every job in MiB, of one process."""
    contestant = Contestant("soak_keras_bert.py", settings=RUNTIMES[runtime])
    readings = {}
    for job, calls in JOBS.items():
        readings[job] = []
        for _ in range(READINGS):
            contestant.turn(job, calls_of_reading(calls, share))
            readings[job] += contestant.numbers
        print(f"{runtime}: {job}", file=sys.stderr)
    contestant.close()
    return readings


def draw(readings: dict[str, dict[str, list[float]]], share: float, path: str) -> None:
    """A line for every runtime, a column for every job."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    columns = figure.subplots(1, len(JOBS), sharey=True)
    for (job, calls), axes in zip(JOBS.items(), columns, strict=True):
        for runtime, jobs in readings.items():
            axes.plot(range(1, READINGS + 1), jobs[job], label=runtime)
        made = READINGS * calls_of_reading(calls, share)
        axes.set_title(f"{job} × {made:,}", fontsize="medium")
        axes.set_xlabel("reading")
        axes.spines[["top", "right"]].set_visible(False)
    columns[0].set_ylabel("resident memory (MiB)")
    columns[0].set_ylim(bottom=0)  # of all columns, now that all lines are there
    columns[-1].legend(fontsize="small")
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=1, help="number of runtimes at a time")
    parser.add_argument("--picture")
    arguments = parser.parse_args()
    with ThreadPoolExecutor(arguments.at_once) as runs:
        found = runs.map(lambda runtime: soak(runtime, arguments.share), arguments.only)
        readings = dict(zip(arguments.only, found, strict=True))
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch")
    rows = [
        [runtime, *(f"{max(each) - each[WARM_UP - 1]:.0f}" for each in jobs.values())]
        for runtime, jobs in readings.items()
    ]
    print_table(["MiB after warm-up", *JOBS], rows)
    if arguments.picture:
        draw(readings, arguments.share, arguments.picture)


if __name__ == "__main__":
    main()
