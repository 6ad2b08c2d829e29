"""Compare this library's Tokenizer with that of keras-bert 0.89, text by text, and time both.

    python benchmarks/tokenizer_parity.py --old-python OLD/bin/python \
        --vocab vocab.txt --texts train.tsv dev.tsv --fuzz 20000

OLD is a virtual environment with keras-bert 0.89.0 and tensorflow-cpu 2.15.1; the old library
runs in a process of its own. Each line of the text files is one text, and with its neighbour a
pair. Compared are tokens, ids and segments at several lengths, `decode` and `rematch`, cased and
uncased. Prints the differences and the times; the exit status is 1 if there are differences.
"""

import argparse
import gc
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAX_LENGTHS = (None, 8, 128)
# The old alignment takes time and memory in proportion to the square of the length.
REMATCH_CHARACTERS = 120
SHOWN = 10


def results(tokenizer_class, token_dict, cased, texts, timed):
    """Run everything that is compared, the first `timed` texts by the clock.

    Returns the number of their tokens, the seconds for tokenize and encode, and all results.
    """
    tokenizer = tokenizer_class(token_dict, cased=cased)
    # The results pile up; looking through them for garbage is no part of tokenizing.
    gc.disable()
    start = time.process_time()
    tokens = [tokenizer.tokenize(text) for text in texts[:timed]]
    tokenize_seconds = time.process_time() - start
    count = sum(map(len, tokens))
    tokens += [tokenizer.tokenize(text) for text in texts[timed:]]
    tokenizer = tokenizer_class(token_dict, cased=cased)
    start = time.process_time()
    encoded = [[tokenizer.encode(text) for text in texts[:timed]]]
    encode_seconds = time.process_time() - start
    encoded[0] += [tokenizer.encode(text) for text in texts[timed:]]
    encoded += [[tokenizer.encode(text, max_len=n) for text in texts] for n in MAX_LENGTHS[1:]]
    pairs = list(zip(texts[:-1:2], texts[1::2], strict=True))
    paired = [[tokenizer.encode(*pair, max_len=n) for pair in pairs] for n in MAX_LENGTHS]
    decoded = [tokenizer.decode(ids) for ids, _ in encoded[2]]
    decoded += [tokenizer.decode(ids) for ids, _ in paired[2]]
    rematched = [
        tokenizer_class.rematch(text, text_tokens[1:-1], cased=cased)
        for text, text_tokens in zip(texts, tokens, strict=True)
        if len(text) <= REMATCH_CHARACTERS
    ][:500]
    return {
        "seconds": [tokenize_seconds, encode_seconds],
        "count": count,
        "compared": [tokens, *encoded, *paired, decoded, rematched],
    }


def old_side(job_file):
    """What the old library's process does."""
    from keras_bert import Tokenizer

    job = pickle.loads(Path(job_file).read_bytes())
    found = [
        results(Tokenizer, job["vocab"], cased, job["texts"], job["timed"])
        for cased in (False, True)
    ]
    Path(job["out"]).write_bytes(pickle.dumps(found))


def fuzzed(count, seed=0):
    """Make strings of characters from all over Unicode, many of them troublesome."""
    rng = random.Random(seed)
    odd = "\x00\t\n\x0b\r\x1c\x85\xa0\xad\u1680\u200b\u2028\u2029\u202e\u3000\ufeff\ufffd\U000e0001"
    odd += (
        "ΣσςİıßẞǅŉÅéñ\u0301\u0327\u0345\u0f39\u302e\U0001d15e\U0001d165\U0001d16d각힣\ud800\udfff"
    )
    ranges = ((32, 127), (32, 127), (97, 123), (160, 0x250), (0x300, 0x530), (0x4E00, 0x4F00))
    ranges += ((0x3000, 0x3100), (0xAC00, 0xAD00), (0, 0x3000), (0, 0x110000))

    def character():
        if rng.random() < 0.15:
            return rng.choice(odd)
        if rng.random() < 0.15:
            return " "
        return chr(rng.randrange(*rng.choice(ranges)))

    return ["".join(character() for _ in range(rng.randrange(40))) for _ in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old-python", required=True)
    parser.add_argument("--vocab", required=True, nargs="+", help="vocabulary files")
    parser.add_argument("--texts", default=[], nargs="+", help="text files, a text in each line")
    parser.add_argument("--fuzz", default=0, type=int, help="number of random texts to add")
    arguments = parser.parse_args()

    from keras_bert import Tokenizer, load_vocabulary

    texts = []
    for path in arguments.texts:
        texts += Path(path).read_text(encoding="utf-8").split("\n")
    timed = len(texts)
    texts += fuzzed(arguments.fuzz)
    differences = 0
    for path in arguments.vocab:
        token_dict = load_vocabulary(path)
        with tempfile.TemporaryDirectory() as folder:
            # Pickled: JSON would join neighbouring surrogates to one character.
            job_file, out = (Path(folder, name) for name in ("job.pickle", "out.pickle"))
            job = {"vocab": token_dict, "texts": texts, "timed": timed, "out": out}
            job_file.write_bytes(pickle.dumps(job))
            environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
            # -E and -s: with the keras_bert of that environment, see turns.py.
            command = [arguments.old_python, "-E", "-s", __file__, "--old-side", job_file]
            subprocess.run(command, check=True, env=environment)
            old_results = pickle.loads(out.read_bytes())
        for cased, old in zip((False, True), old_results, strict=True):
            new = results(Tokenizer, token_dict, cased, texts, timed)
            found = [
                (kind, number, old_one, new_one)
                for kind in range(len(new["compared"]))
                for number, (old_one, new_one) in enumerate(
                    zip(old["compared"][kind], new["compared"][kind], strict=True)
                )
                if new_one != old_one
            ]
            differences += len(found)
            rates = [
                f"{name} {new['count'] / n / 1e6:.2f} M tokens/s, old {old['count'] / o / 1e6:.2f} "
                f"({o / n:.1f}x)"
                for name, n, o in zip(
                    ("tokenize", "encode"), new["seconds"], old["seconds"], strict=True
                )
            ]
            print(
                f"{Path(path).name} {'cased' if cased else 'uncased'}: {len(texts)} texts, "
                f"{new['count']} tokens in files, {len(found)} differences; {'; '.join(rates)}",
                flush=True,
            )
            for kind, number, old_one, new_one in found[:SHOWN]:
                print(f"  kind {kind}, number {number}")
                print(f"    old {old_one!r:.300}\n    new {new_one!r:.300}")
    return 1 if differences else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--old-side"]:
        old_side(sys.argv[2])
    else:
        sys.exit(main())
