"""Text to tokens or ids by look-ups in bounded caches; the ways for words and for Chinese."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np

from .characters import is_punctuation

# Bounds of the caches: entries, and characters of a key. A full cache starts again from nothing,
# which costs less than any bookkeeping about what was used last.
CACHE_ENTRIES = 1 << 16
CACHE_KEY_CHARACTERS = 32
CAPITAL_SIGMA = "\u03a3"
BLANK = " "

# The characters that may have an entry in the tables of those that stand alone: Chinese
# characters that no normalization changes, and punctuation of the blocks that go with them.
_IDEOGRAPHS = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
_PUNCTUATION = tuple(
    code_point
    for block in (range(0x80), range(0x2010, 0x2060), range(0x3000, 0x3040), range(0xFF00, 0xFFF0))
    for code_point in block
    if is_punctuation(chr(code_point))
)
_TABLE_SIZE = 1 << 17  # two planes: rarely is a character of a text beyond them
_UTF32, _INDEX = np.dtype(np.uint32), np.dtype(np.intp)
_BYTE_ORDER_MARK = 4  # bytes
_IN_RUN, _ALONE = b"\x01", b"\x00"
# By code point, the two bytes above; what lies beyond the table counts as its last entry.
_KINDS = np.ones(_TABLE_SIZE, np.uint8)
_KINDS[list(chain(_PUNCTUATION, *_IDEOGRAPHS))] = 0
_MANY_BLANKS = 16  # one in so many characters
_RUN = re.compile(_IN_RUN + b"+")


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


class TextLookup:
    """Text to its tokens, turned into what `output` makes of them: themselves, or their ids.

    Args:
        pieces_of: gives the pieces of a piece of text in which no word continues beyond its ends.
        output: called with tokens.
        unknown: the token of characters that stand alone and are not in the vocabulary. None: such
            a character is its own token.
        tokens: the vocabulary.
        context_of_sigma: whether a sigma must not be cut off from what is around it.
    """

    def __init__(
        self,
        pieces_of: Callable[[str], Iterable[str]],
        output: Callable[[Iterable[str]], tuple],
        unknown: str | None,
        tokens: Mapping[str, str],
        context_of_sigma: bool,
    ):
        self.chunks = BoundedCache(lambda chunk: output(pieces_of(chunk)))
        self._outputs_of = self.chunks.__getitem__
        self._output = output
        self._unknown = unknown
        self._tokens = tokens
        self._context_of_sigma = context_of_sigma
        # Made when the first Chinese text comes.
        self._table: np.ndarray | None = None

    def of(self, text: str) -> list[Any]:
        if self.goes_by_characters(text):
            return self._of_characters(text)
        return list(chain.from_iterable(map(self._outputs_of, text.split(BLANK))))

    def goes_by_characters(self, text: str) -> bool:
        """Whether the way for Chinese is the faster one, or any other without blanks."""
        return not (
            text.isascii()
            or text.count(BLANK) * _MANY_BLANKS > len(text)
            or (self._context_of_sigma and CAPITAL_SIGMA in text)
        )

    def _of_characters(self, text: str) -> list[Any]:
        """Take each character for a word, then put right the runs of those that are none."""
        if self._table is None:
            self._table = self._make_table()
        codes, kinds = _codes_and_kinds(text)
        outputs = self._table[codes].tolist()
        # From the end, since each exchange moves what stands behind it.
        end = kinds.rfind(_IN_RUN) + 1
        while end:
            start = kinds.rfind(_ALONE, 0, end) + 1
            outputs[start:end] = self._of_run(text[start:end])
            end = kinds.rfind(_IN_RUN, 0, start) + 1
        return outputs

    def _of_run(self, run: str) -> Iterable[Any]:
        if len(run) <= CACHE_KEY_CHARACTERS:
            return self.chunks[run]
        # A long one is no key of the cache, but its chunks may be.
        return chain.from_iterable(map(self._outputs_of, run.split(BLANK)))

    def _make_table(self) -> np.ndarray:
        own, unknown = self._tokens.get, self._unknown
        code_points = list(chain(_PUNCTUATION, *_IDEOGRAPHS))
        table = np.full(_TABLE_SIZE, None, object)
        table[code_points] = self._output(
            own(character, unknown or character) for character in map(chr, code_points)
        )
        return table


def runs(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the runs of characters that do not stand alone, the last run first."""
    _, kinds = _codes_and_kinds(text)
    return [found.span() for found in _RUN.finditer(kinds)][::-1]


def _codes_and_kinds(text: str) -> tuple[np.ndarray, bytes]:
    """Return the places of a text's characters in the tables, and their kinds."""
    # Twice as fast as "utf-32-le". A lone surrogate is a code point like others here.
    with_mark = text.encode("utf-32", "surrogatepass")
    codes = np.frombuffer(with_mark, _UTF32, -1, _BYTE_ORDER_MARK).astype(_INDEX)
    try:
        kinds = _KINDS[codes]  # faster than `take`, which can clip
    except IndexError:
        codes = np.minimum(codes, _TABLE_SIZE - 1)
        kinds = _KINDS[codes]
    return codes, kinds.tobytes()
