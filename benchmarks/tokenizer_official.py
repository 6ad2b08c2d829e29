"""Compare `Tokenizer(official=True)` with Hugging Face's Rust tokenizer, text by text.

    python benchmarks/tokenizer_official.py --vocab vocab.txt --texts train.tsv --fuzz 200000

Each line of the text files is one text. Compared are tokens, ids and offsets, cased and uncased,
with `tokenizers.BertWordPieceTokenizer`. Some code points are treated differently on purpose or by
the Unicode versions of the two; they are found one by one first, printed with the reason, and left
out of the random texts. `--list FILE` writes them as JSON. Prints the differences that remain; the
exit status is 1 if there are any.
"""

import argparse
import json
import random
import sys
import unicodedata
from pathlib import Path

from tokenizer_parity import fuzzed
from tokenizers import BertWordPieceTokenizer

from keras_bert import Tokenizer, load_vocabulary
from keras_bert.tokenizer.words import space_out

SHOWN = 5
EXTENSION_E = "official CJK range begins at 2B820, Rust's at 2B920"
REORDERED = "kept combining mark that changes places: Rust's offsets are those of the other mark"


def reason(character):
    category = unicodedata.category(character)
    if 0x2B820 <= ord(character) < 0x2B920:
        return EXTENSION_E
    if category[0] == "P":
        return "punctuation, by a later Unicode than Rust's table"
    if category == "Mn":
        return "mark that is dropped (Mn), by a later Unicode than Rust's table"
    if category == "Cf":
        return "format character, by a later Unicode than Rust's table"
    if category == "Cn":
        return "has a lower case, by a later Unicode than this Python's"
    return f"now {category}, was another category in Rust's table, or decomposes since"


def is_kept_mark(character):
    return unicodedata.combining(character) and unicodedata.category(character) != "Mn"


def differences():
    """Map each reason to the code points that the two treat differently."""
    found = {}
    specials = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}
    for cased in (False, True):
        rust = BertWordPieceTokenizer(specials, lowercase=not cased)
        normalize = rust._tokenizer.normalizer.normalize_str
        split = rust._tokenizer.pre_tokenizer.pre_tokenize_str
        for code_point in range(0x110000):
            if 0xD800 <= code_point < 0xE000:
                continue  # surrogates cannot be given to Rust
            character = chr(code_point)
            text = f"a{character}b"
            words = [word for word, _ in split(normalize(text))]
            if words != space_out(text, cased, True)[0].split():
                found.setdefault(reason(character), set()).add(code_point)
            elif any(map(is_kept_mark, unicodedata.normalize("NFD", character))):
                found.setdefault(REORDERED, set()).add(code_point)
    return found


def ranges(code_points):
    joined = []
    for code_point in sorted(code_points):
        if joined and joined[-1][1] == code_point - 1:
            joined[-1][1] = code_point
        else:
            joined.append([code_point, code_point])
    return " ".join(f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in joined)


def fuzzed_texts(count, left_out, seed=0):
    """Make random texts without surrogates, with special tokens and very long words among them."""
    rng = random.Random(seed)
    odd = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[mask]", "[CLS", "a" * 100, "a" * 101]
    odd += ["[[SEP]]", "ab" * 5000, "\ud7ff", "\ue000", "##ing", "שלום ", "مَرحبا"]
    texts = []
    for text in fuzzed(count, seed):
        if rng.random() < 0.1:
            text = text[:9] + rng.choice(odd) + text[9:] + rng.choice(odd[:-4])
        texts.append(
            "".join(c for c in text if ord(c) not in left_out and not "\ud800" <= c <= "\udfff")
        )
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vocab", default=[], nargs="+", help="vocabulary files")
    parser.add_argument("--texts", default=[], nargs="+", help="text files, a text in each line")
    parser.add_argument("--fuzz", default=0, type=int, help="number of random texts to add")
    parser.add_argument("--list", help="file to write the code points to")
    arguments = parser.parse_args()

    listed = differences()
    print(f"Code points treated differently, with Unicode {unicodedata.unidata_version} here:")
    for why, code_points in listed.items():
        print(f"  {len(code_points)}: {why}\n    {ranges(code_points)}")
    if arguments.list:
        document = {why: ranges(code_points) for why, code_points in listed.items()}
        Path(arguments.list).write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    texts = []
    for path in arguments.texts:
        texts += Path(path).read_text(encoding="utf-8").split("\n")
    texts += fuzzed_texts(arguments.fuzz, set().union(*listed.values()))
    differing = 0
    for path in arguments.vocab:
        token_dict = load_vocabulary(path)
        for cased in (False, True):
            ours = Tokenizer(token_dict, cased=cased, official=True)
            rust = BertWordPieceTokenizer(dict(token_dict), lowercase=not cased)
            found = []
            for text in texts:
                expected = rust.encode(text)
                ids, _, offsets = ours.encode_with_offsets(text)
                results = ours.tokenize(text), ours.encode(text)[0], ids, offsets
                wanted = expected.tokens, expected.ids, expected.ids, expected.offsets
                if results != wanted:
                    found.append((text, expected.tokens, results[0]))
            differing += len(found)
            name = f"{Path(path).name} {'cased' if cased else 'uncased'}"
            print(f"{name}: {len(texts)} texts, {len(found)} differences", flush=True)
            for text, wanted, got in found[:SHOWN]:
                print(f"  {text!a:.300}\n    Rust {wanted!a:.300}\n    ours {got!a:.300}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
