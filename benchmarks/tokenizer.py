"""Time this library's Tokenizer next to Hugging Face's Rust tokenizer and keras-bert 0.89.

    python benchmarks/tokenizer.py --old-python OLD/bin/python \
        --case "SST-2" uncased uncased_L-12_H-768_A-12/vocab.txt sst2/train.tsv \
        --case "ChnSentiCorp" uncased chinese_L-12_H-768_A-12/vocab.txt chnsenticorp/train.tsv

OLD is a virtual environment with keras-bert 0.89.0 and tensorflow-cpu 2.15.1; the old library runs
in a process of its own. A case is a name, "cased" or "uncased", a vocabulary and text files of
which each line is one text. Everyone encodes one text per call, on one thread (`encode_batch`:
64 texts per call). The tokenizers take turns, so that whatever else the machine does meets all of
them alike; of the rounds the best counts, in processor time. "first pass" is the same for a
tokenizer just made, whose caches are empty; the last case is the worst for caches: words of random
letters, none twice, in the last vocabulary. Prints one table, in thousands of tokens per second.

With `--first-sight` only the official mode and Rust take turns, each with a tokenizer just made and
each text once, whatever the files repeat; OLD is not needed. Here the ratio is the median of those
of the rounds, and the time to make a tokenizer stands beside it.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from contestants.shared import processor_seconds
from turns import Contestant

WORST_CASE_WORDS = 60_000
WORDS_PER_TEXT = 20
BATCH_SIZE = 64


def measure(old, folder, vocabulary, cased, texts, rounds, again=True):
    """Return the best time of each contestant, and the number of tokens."""
    from tokenizers import BertWordPieceTokenizer

    from keras_bert import Tokenizer

    job_file = Path(folder, "job.json")
    job = {"vocabulary": vocabulary, "cased": cased, "texts": texts}
    job_file.write_text(json.dumps(job), encoding="ascii")
    rust = BertWordPieceTokenizer(dict(vocabulary), lowercase=not cased)
    ours = {
        "default": Tokenizer(vocabulary, cased=cased),
        "official": Tokenizer(vocabulary, cased=cased, official=True),
    }
    batches = [texts[i : i + BATCH_SIZE] for i in range(0, len(texts), BATCH_SIZE)]
    times = {}

    def note(name, elapsed):
        times[name] = min(elapsed, times.get(name, elapsed))

    for _ in range(rounds):
        old.turn(job_file)
        note("0.89", *old.numbers)
        note("Rust", processor_seconds(rust.encode, texts))
        for mode, tokenizer in ours.items():
            empty_shared_tables()
            fresh = Tokenizer(vocabulary, cased=cased, official=mode == "official")
            note(f"{mode}, first pass", processor_seconds(fresh.encode, texts))
            if again:
                note(mode, processor_seconds(tokenizer.encode, texts))
                note(f"{mode}, offsets", processor_seconds(tokenizer.encode_with_offsets, texts))
                note(f"{mode}, encode_batch", processor_seconds(tokenizer.encode_batch, batches))
    # By the default mode's tokens; those of the other differ by unknown words alone.
    return times, sum(len(ours["default"].encode(text)[0]) for text in texts)


def empty_shared_tables():
    """Empty the caches that all tokenizers of a process share."""
    from keras_bert.tokenizer import token_cache

    for table in token_cache._TABLES.values():
        table.clear()


def first_sight(vocabulary, cased, texts, rounds):
    """Return, a list entry for each round, the seconds to make each tokenizer and to encode."""
    from tokenizers import BertWordPieceTokenizer

    from keras_bert import Tokenizer

    def make_ours():
        empty_shared_tables()
        tokenizer = Tokenizer(vocabulary, cased=cased, official=True)
        tokenizer.encode("zqxj\u4e2d")  # which makes the tables that it makes when they are needed
        return tokenizer

    makers = {
        "Rust": lambda: BertWordPieceTokenizer(dict(vocabulary), lowercase=not cased),
        "official": make_ours,
    }
    makings = {name: [] for name in makers}
    times = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            start = time.process_time()
            tokenizer = make()
            makings[name].append(time.process_time() - start)
            times[name].append(processor_seconds(tokenizer.encode, texts))
    return makings, times


def show_first_sight(name, vocabulary, cased, texts, rounds):
    makings, times = first_sight(vocabulary, cased, texts, rounds)
    ratios = sorted(a / b for a, b in zip(times["Rust"], times["official"], strict=True))
    micros = {name: statistics.median(times[name]) / len(texts) * 1e6 for name in times}
    print(
        f"{name:36}{len(texts):7} texts, {micros['official']:6.1f} µs each, Rust "
        f"{micros['Rust']:6.1f}: {statistics.median(ratios):5.2f}x ({ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}); made in {min(makings['official']) * 1e3:.0f} ms, Rust "
        f"{min(makings['Rust']) * 1e3:.0f}",
        flush=True,
    )


def read_cases(cases):
    """Yield (name, vocabulary, whether it is cased, texts) of the command line's cases."""
    from keras_bert import load_vocabulary

    for name, case, vocabulary_file, *text_files in cases:
        texts = []
        for path in text_files:
            texts += Path(path).read_text(encoding="utf-8").split("\n")
        yield name, load_vocabulary(vocabulary_file), case == "cased", texts


def new_words(count):
    """Make texts of words of which none occurs twice."""
    rng = random.Random(0)
    words = set()
    while len(words) < count:
        words.add("".join(rng.choices("etaoinshrdlucmfw", k=rng.randrange(4, 12))))
    listed = sorted(words)
    rng.shuffle(listed)
    return [" ".join(listed[i : i + WORDS_PER_TEXT]) for i in range(0, count, WORDS_PER_TEXT)]


def show(name, times, count):
    print(f"\n{name}: {count} tokens", flush=True)
    print(f"  {'':24}{'tokens/s':>12}{'to Rust':>10}{'to 0.89':>10}")
    for contestant, elapsed in times.items():
        ratios = "".join(f"{times[peer] / elapsed:9.1f}x" for peer in ("Rust", "0.89"))
        print(f"  {contestant:24}{count / elapsed / 1e3:10.0f} k{ratios}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old-python")
    parser.add_argument("--first-sight", action="store_true")
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--case", required=True, action="append", nargs="+", metavar="PART")
    arguments = parser.parse_args()
    if not (arguments.old_python or arguments.first_sight):
        parser.error("--old-python is required without --first-sight")
    os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")

    words = new_words(WORST_CASE_WORDS)
    if arguments.first_sight:
        for name, vocabulary, cased, texts in read_cases(arguments.case):
            texts = list(dict.fromkeys(texts))
            show_first_sight(name, vocabulary, cased, texts, arguments.rounds)
        show_first_sight("every word new", vocabulary, cased, words, arguments.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        old = Contestant(
            "tokenizer_keras_bert.py", (), {"CUDA_VISIBLE_DEVICES": ""}, arguments.old_python
        )
        for name, vocabulary, cased, texts in read_cases(arguments.case):
            common = old, folder, vocabulary, cased
            show(name, *measure(*common, texts, arguments.rounds))
        show("every word new", *measure(*common, words, arguments.rounds, again=False))
        old.close()


if __name__ == "__main__":
    main()
