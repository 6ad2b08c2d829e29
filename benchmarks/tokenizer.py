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
"""

import argparse
import json
import random
import tempfile
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
            fresh = Tokenizer(vocabulary, cased=cased, official=mode == "official")
            note(f"{mode}, first pass", processor_seconds(fresh.encode, texts))
            if again:
                note(mode, processor_seconds(tokenizer.encode, texts))
                note(f"{mode}, offsets", processor_seconds(tokenizer.encode_with_offsets, texts))
                note(f"{mode}, encode_batch", processor_seconds(tokenizer.encode_batch, batches))
    # By the default mode's tokens; those of the other differ by unknown words alone.
    return times, sum(len(ours["default"].encode(text)[0]) for text in texts)


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
    parser.add_argument("--old-python", required=True)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--case", required=True, action="append", nargs="+", metavar="PART")
    arguments = parser.parse_args()

    from keras_bert import load_vocabulary

    with tempfile.TemporaryDirectory() as folder:
        old = Contestant(
            "tokenizer_keras_bert.py", (), {"CUDA_VISIBLE_DEVICES": ""}, arguments.old_python
        )
        for name, case, vocabulary_file, *text_files in arguments.case:
            vocabulary = load_vocabulary(vocabulary_file)
            texts = []
            for path in text_files:
                texts += Path(path).read_text(encoding="utf-8").split("\n")
            common = old, folder, vocabulary, case == "cased"
            show(name, *measure(*common, texts, arguments.rounds))
        words = new_words(WORST_CASE_WORDS)
        show("every word new", *measure(*common, words, arguments.rounds, again=False))
        old.close()


if __name__ == "__main__":
    main()
