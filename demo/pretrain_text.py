"""Text processing for pretraining: from text to vocabulary, shards of token ids, sentence pairs.

A shard is an .npz file with `ids`, the token ids of all its sentences; `sizes`, the number of
tokens of each sentence, with a 0 after each document; and `next`, the position in the text where
the next shard begins.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from keras_bert import Tokenizer
from keras_bert.commands.shared import why_not_utf8
from keras_bert.tokenizer.characters import is_cjk_character, is_punctuation

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@contextlib.contextmanager
def replacing(path: Path):
    """A file to write that atomically replaces `path` when it is complete."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with open(unfinished, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def check_texts(texts) -> None:
    """Exit if a file cannot be read or is not UTF-8, or there is nothing but blanks in all."""
    has_words = False
    for path, _ in texts:
        decode = codecs.getincrementaldecoder("utf-8")().decode
        try:
            with open(path, "rb") as file:
                while block := file.read(2**20):
                    has_words |= bool(decode(block).strip())
            decode(b"", final=True)
        except OSError as error:
            sys.exit(f"--texts must be files: {error}")
        except UnicodeDecodeError:
            sys.exit(why_not_utf8(path))
    if not has_words:
        sys.exit("The texts contain no words.")


def lines(texts, first=0, offset=0):
    """Lines from a position on, each with the position after it; an empty line ends every file.

    A position is the index of a file and an offset in bytes.
    """
    total = sum(size for _, size in texts)
    before = sum(size for _, size in texts[:first]) + offset
    with tqdm(total=total, initial=before, unit="B", unit_scale=True, desc="text") as progress:
        for number in range(first, len(texts)):
            path, size = texts[number]
            if os.path.getsize(path) != size:
                sys.exit(f"{path} has changed since this run was started: start a new run.")
            with open(path, "rb") as file:
                file.seek(offset)
                for line in file:
                    offset += len(line)
                    progress.update(len(line))
                    try:
                        yield line.decode("utf-8-sig").strip(), (number, offset)
                    except UnicodeDecodeError:
                        sys.exit(why_not_utf8(path))
            offset = 0
            yield "", (number + 1, 0)


def learn_vocabulary(path: Path, settings) -> None:
    try:
        from tokenizers import BertWordPieceTokenizer
        from tokenizers.normalizers import BertNormalizer
    except ImportError:
        sys.exit("Learning a vocabulary needs `tokenizers`: pip install '.[pretrain]'")
    lowercase = not settings["cased"]
    learner = BertWordPieceTokenizer(lowercase=lowercase)
    normalizer = BertNormalizer(lowercase=lowercase)  # the learner's own is locked while it learns
    # By default, the trainer numbers characters in the random order of a hash table, which decides
    # between equally frequent pieces, and between equally frequent characters. Selecting and
    # numbering the characters beforehand makes the vocabulary depend on the text only.
    counts = Counter()
    for line, _ in lines(settings["texts"]):
        counts.update(normalizer.normalize_str(line))
    del counts[" "]
    characters = sorted(counts, key=lambda each: (-counts[each], each))
    most = settings["vocabulary"] // 3
    characters, rare = characters[:most], characters[most:]
    alone = {each for each in characters if _is_a_word(each)}
    inside = [f"##{each}" for each in characters if each not in alone]
    removal = str.maketrans({each: " " if _is_a_word(each) else "" for each in rare})
    learner.train_from_iterator(
        (normalizer.normalize_str(line).translate(removal) for line, _ in lines(settings["texts"])),
        vocab_size=settings["vocabulary"],
        limit_alphabet=len(characters),
        special_tokens=[*SPECIAL_TOKENS, *characters, *inside],
        show_progress=False,
    )
    tokens = sorted(learner.get_vocab(), key=learner.token_to_id)
    with replacing(path) as file:
        file.write("".join(f"{token}\n" for token in tokens).encode())


def _is_a_word(character: str) -> bool:
    return is_cjk_character(character) or is_punctuation(character)


def write_shards(folder: Path, settings, tokenizer: Tokenizer) -> list[Path]:
    folder.mkdir(exist_ok=True)
    shards = sorted(folder.glob("*.npz"))
    begin, end = (0, 0), (len(settings["texts"]), 0)
    if shards:
        with np.load(shards[-1]) as last:
            begin = tuple(map(int, last["next"]))
    if begin == end:
        return shards
    ids, sizes = [], []
    for line, position in lines(settings["texts"], *begin):
        sentence = tokenizer.encode(line)[0][1:-1]
        ids += sentence
        if sentence or not line:
            sizes.append(len(sentence))
        if len(ids) >= settings["shard"] or position == end:
            path = folder / f"{len(shards):06d}.npz"
            with replacing(path) as file:
                np.savez(file, ids=np.int32(ids), sizes=np.int32(sizes), next=position)
            shards.append(path)
            ids, sizes = [], []
    return shards


def pairs_of(sizes, room: int) -> np.ndarray:
    """Pairs of neighbouring pieces of a document, as (start, middle, end) in the shard's ids.

    A piece consists of whole sentences if they fit into `room` tokens. A document of only one piece
    is split in the middle.
    """
    pairs, cuts, end = [], [0], 0
    for size in [*sizes, 0]:
        if size and end > cuts[-1] and end + size - cuts[-1] > room:
            cuts.append(end)
        end += size
        while end - cuts[-1] > room:
            cuts.append(cuts[-1] + room)
        if size == 0:
            if end > cuts[-1]:
                cuts.append(end)
            if len(cuts) == 2:
                cuts.insert(1, (cuts[0] + end) // 2)
            pairs += zip(cuts, cuts[1:], cuts[2:], strict=False)
            cuts = [end]
    return np.array(pairs, dtype=np.int64).reshape(-1, 3)


class Pairs:
    """An endless stream of sentence pairs: every epoch takes shards and their pairs in a new order.

    `position` is where the stream stands: the epoch, and the numbers of shards and pairs
    that have been used in it.
    """

    def __init__(self, shards: list[Path], settings, tokens: list[str], position=(0, 0, 0)):
        self.shards, self.settings, self.tokens = shards, settings, tokens
        self.position = tuple(map(int, position))
        self._load()

    def _load(self) -> None:
        turn, rank, _ = self.position
        seed = self.settings["seed"]
        shard = np.random.RandomState([seed, turn]).permutation(len(self.shards))[rank]
        with np.load(self.shards[shard]) as file:
            self.ids = file["ids"]
            pairs = pairs_of(file["sizes"].tolist(), (self.settings["length"] - 3) // 2)
        generator = np.random.RandomState([seed, turn, shard])
        self.pairs = generator.permutation(pairs)
        self._shorten(generator)

    def _shorten(self, generator) -> None:
        """Shorten some of the pairs, each to a random length, on both sides of its middle."""
        start, middle, end = self.pairs.T
        count = len(self.pairs)
        room = np.full(count, self.settings["length"])
        short = generator.random_sample(count) < self.settings["short"]
        room[short] = generator.randint(4, max(self.settings["length"] // 2, 5), short.sum())
        self.pairs = np.stack(
            [np.maximum(start, middle - room), middle, np.minimum(end, middle + room)], axis=1
        )

    def take(self, count: int):
        taken, idle = [], 0
        while len(taken) < count:
            turn, rank, past = self.position
            if past == len(self.pairs):
                rank = (rank + 1) % len(self.shards)
                self.position = (turn + (rank == 0), rank, 0)
                self._load()
                idle += 1
                if idle > len(self.shards) and not taken:
                    sys.exit("The texts contain no words.")
                continue
            start, middle, end = self.pairs[past]
            taken.append([self._words(start, middle), self._words(middle, end)])
            self.position = (turn, rank, past + 1)
        return taken

    def _words(self, start: int, end: int) -> list[str]:
        return [self.tokens[index] for index in self.ids[start:end]]
