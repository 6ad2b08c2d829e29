"""Text to its tokens, or their ids, by look-ups in caches: a way for words, another for Chinese."""

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from .characters import is_punctuation
from .kept_tokens import KeptTokens

# Bounds of the caches: entries, and characters of a key. A full cache starts again from nothing,
# which costs less than any bookkeeping about what was used last.
CACHE_ENTRIES = 1 << 16
CACHE_KEY_CHARACTERS = 32
CAPITAL_SIGMA = "\u03a3"
BLANK = " "

# Characters that are a word each, whatever is around them: Chinese characters that no normalization
# changes, and punctuation of the blocks that go with them.
_IDEOGRAPHS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
_PUNCTUATION = tuple(
    code_point
    for block in (range(0x80), range(0x2010, 0x2060), range(0x3000, 0x3040), range(0xFF00, 0xFFF0))
    for code_point in block
    if is_punctuation(chr(code_point))
)
SINGLES = tuple(chain(_PUNCTUATION, *_IDEOGRAPHS))
_SINGLE, _IN_RUN = b"\x00", b"\x01"  # the rest stands in runs, whose words are found otherwise
_RUN = re.compile(_IN_RUN + b"+")
# Which of the two each code point is; what lies beyond the table counts as its last entry.
_TABLE_SIZE = 1 << 17  # two planes: rarely is a character of a text beyond them
_KINDS = np.full(_TABLE_SIZE, ord(_IN_RUN), np.uint8)
_KINDS[list(SINGLES)] = ord(_SINGLE)
_MANY_BLANKS = 16  # one in so many characters

_UTF32, _INDEX = np.dtype(np.uint32), np.dtype(np.intp)
_BYTE_ORDER_MARK = 4  # bytes


class BoundedCache(dict):
    """A dictionary that computes what it lacks and keeps it, if the key is short."""

    def __init__(self, compute: Callable[[str], Any]):
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> Any:
        value = self._compute(key)
        if len(key) <= CACHE_KEY_CHARACTERS:
            if len(self) >= CACHE_ENTRIES:
                self.clear()
            self[key] = value
        return value


@dataclass
class TextLookup:
    """Text to its tokens, or to what `output` makes of them, such as their ids."""

    words_of: Callable[[str], list[str]]  # of a piece of text that ends where words end
    pieces_of: Callable[[str], tuple]  # of a word
    output: Callable[[Iterable[str]], tuple]  # of tokens
    cased: bool
    vocabulary: Container[str]
    unknown: str | None  # for single characters that the vocabulary lacks; None: the character
    kept: KeptTokens  # whole, whatever they consist of
    sigma_needs_context: bool
    _table: np.ndarray | None = None  # made for the first Chinese text

    def __post_init__(self):
        self.words = BoundedCache(self.pieces_of)
        self.chunks = BoundedCache(self._of_chunk)
        self._outputs_of = self.chunks.__getitem__

    def of(self, text: str) -> list[Any]:
        """Return the outputs for all tokens of the text."""
        return self._around_kept(text) if self.kept.are_in(text) else self._of_part(text)

    def _of_part(self, text: str) -> list[Any]:
        """Return the outputs for a text, or part of one, without tokens that are kept whole."""
        if self.goes_by_characters(text):
            return self._of_characters(text)
        return list(chain.from_iterable(map(self._outputs_of, text.split(BLANK))))

    def _of_chunk(self, chunk: str) -> tuple:
        if chunk.isalpha() and chunk.isascii():  # one word, whose pieces are kept as the chunk's
            return self.pieces_of(chunk if self.cased else chunk.lower())
        words = self.words_of(chunk)
        if len(words) == 1:
            return self.pieces_of(words[0])
        # Words in ASCII are chunks, too, which no rule changes any more.
        cache = self.chunks if chunk.isascii() else self.words
        return tuple(chain.from_iterable(map(cache.__getitem__, words)))

    def goes_by_characters(self, text: str) -> bool:
        """Whether the way for Chinese is the faster one; it is for any text with few blanks."""
        return not (
            text.isascii()
            or text.count(BLANK) * _MANY_BLANKS > len(text)
            or (self.sigma_needs_context and CAPITAL_SIGMA in text)
        )

    def _around_kept(self, text: str) -> list[Any]:
        outputs: list[Any] = []
        for start, end, token in self.kept.split(text):
            outputs += self._of_part(text[start:end]) if token is None else self.output([token])
        return outputs

    def _of_characters(self, text: str) -> list[Any]:
        """Look every character up by itself, then put right the runs of those that are no words."""
        if self._table is None:
            self._table = self._make_table()
        codes, kinds = _codes_and_kinds(text)
        outputs = self._table[codes].tolist()
        # From the end: each exchange moves what follows it.
        end = kinds.rfind(_IN_RUN) + 1
        while end:
            start = kinds.rfind(_SINGLE, 0, end) + 1
            outputs[start:end] = self._of_run(text[start:end])
            end = kinds.rfind(_IN_RUN, 0, start) + 1
        return outputs

    def _of_run(self, run: str) -> Iterable[Any]:
        if len(run) <= CACHE_KEY_CHARACTERS:
            return self.chunks[run]
        # A long one is no key of the cache, but its chunks may be.
        return chain.from_iterable(map(self._outputs_of, run.split(BLANK)))

    def _make_table(self) -> np.ndarray:
        singles = map(chr, SINGLES)
        known = self.vocabulary
        tokens = (each if each in known else self.unknown or each for each in singles)
        table = np.full(_TABLE_SIZE, None, object)
        table[list(SINGLES)] = self.output(tokens)
        return table


def runs(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the runs of characters that are no words, the last run first."""
    _, kinds = _codes_and_kinds(text)
    return [found.span() for found in _RUN.finditer(kinds)][::-1]


def _codes_and_kinds(text: str) -> tuple[np.ndarray, bytes]:
    """Return the indices of a text's characters in the tables, and which are single."""
    # Faster than "utf-32-le". A lone surrogate is a code point like others here.
    with_mark = text.encode("utf-32", "surrogatepass")
    codes = np.frombuffer(with_mark, _UTF32, -1, _BYTE_ORDER_MARK).astype(_INDEX)
    try:
        kinds = _KINDS[codes]  # faster than `take`, which can clip
    except IndexError:
        codes = np.minimum(codes, _TABLE_SIZE - 1)
        kinds = _KINDS[codes]
    return codes, kinds.tobytes()
