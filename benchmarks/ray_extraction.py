"""Vectors of 200,000 short texts by demo/extract_ray.py, next to one process; and with kills.

    pip install '.[ray]'
    python benchmarks/ray_extraction.py

Options:

    --count 200000        how many texts; they are drawn from the model's vocabulary, 3 to 12 words
    --model FOLDER        if not the small one of the package
    --workers 2           copies of the model for Ray; one process computes with all cores
    --skip-kills          only the times

Both read the same Parquet file and write vectors in Parquet. Printed are the texts a second of
each, with and without what it takes to start (for Ray: up to the first piece); then, for a run in
which two workers and later all of it are killed and started again, whether every text is there once
with the vector that one process gave it.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as arrow
from pyarrow import parquet
from turns import Contestant

DEMO = Path(__file__).resolve().parents[1] / "demo/extract_ray.py"
PIECE = 4096  # texts in a row group of the Parquet file, which a worker takes at once


def write_texts(path, folder, count):
    lines = (Path(folder) / "vocab.txt").read_text("utf-8").splitlines()
    words = [word for word in lines if word.isascii() and word.isalpha()]
    generator = random.Random(0)
    texts = [" ".join(generator.choices(words, k=generator.randint(3, 12))) for _ in range(count)]
    table = arrow.table({"id": range(count), "text": texts})
    parquet.write_table(table, path, row_group_size=PIECE)


def one_process(folder, texts, out):
    """Seconds of a process that does all, with and without its start."""
    contestant = Contestant("ray_extraction_one_process.py", [folder, texts, out])
    whole = contestant.turn()
    contestant.close()
    return whole, *contestant.numbers


def start_ray(folder, texts, out, workers):
    command = [sys.executable, DEMO, folder, texts, out, "--workers", str(workers)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pieces(out):
    return list(Path(out).glob("*.parquet"))


def unfinished(out):
    return list(Path(out).glob(".*.unfinished"))


def ray_times(folder, texts, out, workers):
    """Seconds of the whole run, and seconds a text between the first piece and the last."""
    started = time.perf_counter()
    if start_ray(folder, texts, out, workers).wait():
        raise SystemExit("demo/extract_ray.py failed")
    whole = time.perf_counter() - started
    files = sorted(pieces(out), key=os.path.getmtime)
    rows = [parquet.read_metadata(file).num_rows for file in files]
    # A worker may have been anywhere in its piece when the first was complete: count from when
    # every worker has completed one.
    seconds = os.path.getmtime(files[-1]) - os.path.getmtime(files[workers - 1])
    return whole, seconds / sum(rows[workers:])


def wait_for_pieces(process, out, count):
    while len(pieces(out)) < count:
        if process.poll() is not None:
            raise SystemExit(f"demo/extract_ray.py ended with {process.returncode} too early")
        time.sleep(0.05)


def kill_a_worker(process, out, before, killed):
    """Kill a process that is in the midst of a piece, by the number in the name of its file."""
    wait_for_pieces(process, out, before)
    while not (at_work := {int(each.name[1:].split("-")[0]) for each in unfinished(out)} - killed):
        time.sleep(0.01)
    worker = min(at_work)
    os.kill(worker, signal.SIGKILL)
    killed.add(worker)
    print(f"killed worker {worker} after {len(pieces(out))} pieces", flush=True)


def run_with_kills(folder, texts, out, workers):
    count = parquet.read_metadata(texts).num_row_groups
    process = start_ray(folder, texts, out, workers)
    killed = set()
    kill_a_worker(process, out, count // 6, killed)
    kill_a_worker(process, out, count // 3, killed)
    wait_for_pieces(process, out, count // 2)
    process.kill()
    process.wait()
    print(f"killed all of it after {len(pieces(out))} of {count} pieces", flush=True)
    if start_ray(folder, texts, out, workers).wait():
        raise SystemExit("demo/extract_ray.py failed when it was started again")


def rows_of(files):
    tables = [parquet.read_table(file, columns=["id", "vector"]) for file in files]
    table = arrow.concat_tables(tables).sort_by("id").combine_chunks()
    ids, vectors = (table[name].chunk(0) for name in ("id", "vector"))
    return ids.to_numpy(), vectors.flatten().to_numpy().reshape(len(ids), -1)


def compare(files, wanted, count):
    ids, vectors = rows_of(files)
    exact = np.array_equal(ids, np.arange(count))
    distance = np.abs(vectors - wanted).max() if exact else np.nan
    print(f"{len(ids)} rows, every text once: {exact}; largest difference: {distance:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--model")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--skip-kills", action="store_true")
    options = parser.parse_args()
    from keras_bert import PretrainedList, get_pretrained

    folder = options.model or str(get_pretrained(PretrainedList.tiny))
    with tempfile.TemporaryDirectory() as scratch:
        texts, plain, ray, killed = (Path(scratch) / each for each in ("in.parquet", "p", "r", "k"))
        write_texts(texts, folder, options.count)
        whole, running = one_process(folder, texts, plain)
        ray_whole, ray_each = ray_times(folder, texts, ray, options.workers)
        rates = [options.count / whole, options.count / running]
        ray_rates = [options.count / ray_whole, 1 / ray_each]
        for name, one, many in zip(["with start", "running"], rates, ray_rates, strict=True):
            print(f"{name}: one process {one:.0f}, Ray {many:.0f} texts/s, ratio {many / one:.2f}")
        size = sum(map(os.path.getsize, pieces(ray)))
        print(f"{size / options.count:.0f} bytes of Parquet per text", flush=True)
        _, wanted = rows_of([plain])
        compare(pieces(ray), wanted, options.count)
        if not options.skip_kills:
            run_with_kills(folder, texts, killed, options.workers)
            compare(pieces(killed), wanted, options.count)


if __name__ == "__main__":
    main()
