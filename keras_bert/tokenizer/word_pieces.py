"""Words to WordPiece tokens, the greedy way, and the offsets of the pieces."""

from collections.abc import Callable, Container, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

from .alignment import CONTINUATION, Offsets, align_tokens
from .words import Word

# The limit of Hugging Face's tokenizers and of the first version of Google's.
MAX_INPUT_CHARS_PER_WORD = 100
_BEGINNING = 4  # characters by which tokens are looked for: few have the same
_SHORT = tuple(range(_BEGINNING - 1, 0, -1))  # lengths of those that have fewer


def greedy_pieces(word: str, vocabulary: Container[str], unknown: str | None = None) -> list[str]:
    """Split a word into the longest pieces of the vocabulary, from left to right.

    Where no piece begins, 0.89 makes one character a piece of its own, known or not, and goes on
    behind it. Officially, with `unknown`, the whole word is that token then, as are words of more
    than 100 characters. An empty word has no pieces, unless it is in the vocabulary.

    This is the definition, for vocabularies of any kind; `PieceSearch` finds the same faster.
    """
    if unknown is not None and len(word) > MAX_INPUT_CHARS_PER_WORD:
        return [unknown]
    if word in vocabulary:
        return [word]
    pieces = []
    start = 0
    prefix = ""
    while start < len(word):
        window = prefix + word[start:]
        size, least = len(window), len(prefix) + 1
        piece = window
        while piece not in vocabulary and size > least:
            size -= 1
            piece = window[:size]
        if unknown is not None and size == least and piece not in vocabulary:
            return [unknown]
        pieces.append(piece)
        start += size - least + 1
        prefix = CONTINUATION
    return pieces


# Of pieces that begin words, or of later ones: the output for each, and their lengths by how they
# begin.
_Table = tuple[dict[str, tuple], dict[str, tuple[int, ...]]]


class PieceSearch:
    """Finds `greedy_pieces` in one vocabulary, and what stands for them, such as their ids.

    Args:
        tokens: The tokens of the vocabulary.
        outputs: What stands for each of them.
        unknown: What stands for a word that cannot be split, officially. None: 0.89's way.
        missing: Makes of a piece that the vocabulary lacks what stands for it, in 0.89's way.
    """

    def __init__(
        self,
        tokens: Iterable[str],
        outputs: Iterable[Any],
        unknown: tuple | None,
        missing: Callable[[str], Any],
    ):
        self._tokens = tokens
        self._outputs = outputs
        self._unknown = unknown
        self._missing = missing

    @cached_property
    def _tables(self) -> tuple[_Table, _Table, int]:
        """Return the tables for pieces that begin a word and for later ones, and the most length.

        They are made for the first word: a tokenizer may never be asked for tokens, or for ids.
        """
        # The outputs are tuples of one, which add up.
        first = dict(zip(self._tokens, zip(self._outputs, strict=True), strict=True))
        later = {
            token[len(CONTINUATION) :]: output
            for token, output in first.items()
            if token.startswith(CONTINUATION)
        }
        longest = max(*_SHORT, *map(len, first))
        return (first, _lengths(first)), (later, _lengths(later)), longest

    def pieces(self, word: str) -> tuple:
        """Return the outputs for the pieces of a word."""
        (outputs, lengths), later, longest = self._tables
        unknown = self._unknown
        size = len(word)
        if unknown is not None and size > MAX_INPUT_CHARS_PER_WORD:
            return unknown
        output = outputs.get(word)
        if output is not None:
            return output
        pieces: tuple = ()
        start = 0
        while start < size:
            # No more of the word than a piece can have: words may be very long.
            rest = word[start : start + longest]
            if start:
                output = outputs.get(rest)
                if output is not None and start + len(rest) == size:
                    return pieces + output
            for length in lengths.get(rest[:_BEGINNING], _SHORT):
                output = outputs.get(rest[:length])
                if output is not None:
                    break
            else:
                if unknown is not None:
                    return unknown
                output = (self._missing(CONTINUATION + rest[0] if start else rest[0]),)
            pieces += output
            start += length
            outputs, lengths = later
        return pieces


def _lengths(tokens: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """For the first characters of tokens: the lengths that a piece there may have, from the top."""
    # A bit for each length: few of these numbers differ, and their tuples are made once.
    bits: dict[str, int] = {}
    for token in tokens:
        if len(token) >= _BEGINNING:
            beginning = token[:_BEGINNING]
            bits[beginning] = bits.get(beginning, 0) | 1 << len(token)
    return {beginning: _from_bits(each) for beginning, each in bits.items()}


@lru_cache
def _from_bits(bits: int) -> tuple[int, ...]:
    longer = []
    while bits >> _BEGINNING:
        longer.append(bits.bit_length() - 1)
        bits ^= 1 << longer[-1]
    return *longer, *_SHORT


class TokenWithOffsets(str):
    """A token that keeps its offsets in lists that others shorten and extend."""

    __slots__ = ("offsets",)
    offsets: tuple[int, int]

    def __new__(cls, token: str, offsets: tuple[int, int] = (0, 0)) -> "TokenWithOffsets":
        made = super().__new__(cls, token)
        made.offsets = offsets
        return made


def piece_offsets(word: Word, pieces: Sequence[str], unknown: str) -> Offsets:
    """Return the offsets of a word's pieces in the original text.

    Those of `greedy_pieces` spell the word or are one token for the whole of it. Others, which a
    subclass may make, are aligned with the word.
    """
    return [_original(word.positions, *span) for span in _spans(word.text, pieces, unknown)]


def _spans(word: str, pieces: Sequence[str], unknown: str) -> Offsets:
    if len(pieces) == 1:
        return [(0, len(word))]
    # Only later pieces carry the prefix: a first one may begin with these characters.
    parts = [*pieces[:1], *(piece[len(CONTINUATION) :] for piece in pieces[1:])]
    if "".join(parts) != word:
        return align_tokens(word, pieces, True, unknown, str.isspace)
    ends = list(accumulate(map(len, parts)))
    return list(zip([0, *ends], ends, strict=False))


def _original(positions: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The offsets in the original text of a span of the word."""
    if end - start == 1:
        return positions[start], positions[start] + 1
    if start == end:
        position = positions[start] if start < len(positions) else positions[-1] + 1
        return position, position
    # Combining marks that are kept may have changed their order.
    return min(positions[start:end]), max(positions[start:end]) + 1
