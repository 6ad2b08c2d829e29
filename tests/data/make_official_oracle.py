"""Write official_oracle.json and official_tokenizer.json: what Hugging Face's tokenizers make.

    PYTHONPATH=tests python tests/data/make_official_oracle.py

runs in an environment with this package, its tests' requirements and tokenizers 0.23.3. The texts
are those of tokenizer_oracle.json, some more written for this file, and random ones. These hold
only characters on which the Unicode versions of today's Pythons and of the library agree.
"""

import json
import unicodedata
from pathlib import Path

import tokenizers
from tokenizer_texts import (
    OLD,
    VOCABULARY,
    code_points_that_differ,
    random_texts,
    without_surrogates,
)

TEXTS = [
    *("a[SEP]b [MASK]film[UNK] [CLS[PAD]", "[mask] [ MASK ]", "[[SEP]]", "[SEP]" * 3, "[SEP]é"),
    *("a" * 100, "a" * 101, "the" + "a" * 1000 + " film", "ΑΣ ΟΔΟΣ.", "天" * 200 + "film"),
    *("x\u0301\u0327y", "é\u0301 e\u0301", "각 힣", "\ud7ff\ue000", "a\ue000b", "İstanbul"),
]
PAIRS = 40
TOKENS = [
    "[PAD]",
    "[unused1]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "un",
    "##aff",
    "的",
    "##的",
    "é",
]


def agreed(text):
    """The text without characters whose category has changed since Unicode 3.2, or that differ."""
    return "".join(
        character
        for character in text
        if character not in DIFFERING
        and unicodedata.ucd_3_2_0.category(character) == unicodedata.category(character)
    )


def result(encoding, text):
    offsets = [each for pair in encoding.offsets for each in pair]
    # The reasons of official_differences.json concern offsets, too.
    return [encoding.ids, encoding.type_ids, None if DIFFERING & set(text) else offsets]


def write(name, document):
    # A line for each entry, so that differences can be read.
    lines = []
    for key, value in document.items():
        dumped = [json.dumps(entry, separators=(",", ":")) for entry in value]
        body = "[\n" + ",\n".join(dumped) + "\n]" if isinstance(value, list) else json.dumps(value)
        lines.append(f'"{key}":{body}')
    path = Path(__file__).with_name(name)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii", newline="\n")


def main():
    texts = [text for text in OLD["texts"] if text == without_surrogates(text)]
    texts += [*TEXTS, *map(agreed, random_texts(300))]
    document = {
        "origin": f"tokenizers {tokenizers.__version__}; see make_official_oracle.py",
        "texts": texts,
        "uncased": [],
        "cased": [],
        "uncased pairs": [],
        "cased pairs": [],
    }
    for name in ("uncased", "cased"):
        rust = tokenizers.BertWordPieceTokenizer(dict(VOCABULARY), lowercase=name == "uncased")
        document[name] = [result(rust.encode(text), text)[::2] for text in texts]
        pairs = zip(texts[1 : PAIRS + 1], texts[:PAIRS], strict=True)
        document[f"{name} pairs"] = [result(rust.encode(*pair), "".join(pair)) for pair in pairs]
    write("official_oracle.json", document)
    rust = tokenizers.BertWordPieceTokenizer({token: i for i, token in enumerate(TOKENS)})
    rust.add_tokens(["newtoken"])
    rust.save(str(Path(__file__).with_name("official_tokenizer.json")))


if __name__ == "__main__":
    DIFFERING = code_points_that_differ()
    main()
