"""Words to WordPiece tokens, the greedy way, and the offsets of the pieces."""

from collections.abc import Container, Mapping, Sequence
from itertools import accumulate

from .alignment import CONTINUATION, Offsets, align_tokens
from .text_lookup import BoundedCache
from .words import Word

# The limit of Hugging Face's tokenizers and of the first version of Google's.
MAX_INPUT_CHARS_PER_WORD = 100
BEGINNING = 3  # characters by which a token is looked for: few others begin with the same


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


class PieceSearch:
    """Finds `greedy_pieces` in one vocabulary, which maps each token to the object to return.

    A piece is first looked for as all that is left of the word, then in the lengths that the
    vocabulary has for its first characters, then among those characters.
    """

    def __init__(self, first: Mapping[str, str], unknown: str | None = None):
        self._unknown = unknown
        size = len(CONTINUATION)
        later = {token[size:]: token for token in first.values() if token.startswith(CONTINUATION)}
        self._first = first, _Beginnings(first)
        self._later = later, _Beginnings(later)
        self._longest = max(map(len, first), default=1)

    def pieces(self, word: str) -> list[str]:
        """Return the pieces of a word."""
        unknown, longest = self._unknown, self._longest
        size = len(word)
        if unknown is not None and size > MAX_INPUT_CHARS_PER_WORD:
            return [unknown]
        tokens, beginnings = self._first
        if word in tokens:
            return [tokens[word]]
        pieces: list[str] = []
        start = 0
        while start < size:
            # No more of the word than a piece can have: words may be very long.
            rest = word[start : start + longest]
            piece = tokens.get(rest)
            if piece is not None:
                start += len(rest)
            else:
                piece, length, lengths = beginnings[rest[:BEGINNING]]
                for longer in lengths:
                    found = tokens.get(rest[:longer])
                    if found is not None:
                        piece, length = found, longer
                        break
                if piece is None:
                    if unknown is not None:
                        return [unknown]
                    piece = CONTINUATION + rest[0] if pieces else rest[0]
                start += length
            pieces.append(piece)
            tokens, beginnings = self._later
        return pieces


class _Beginnings(BoundedCache):
    """For the first characters of what is left of a word: which tokens can begin there.

    The longest token among these characters, or None, its length, or 1, and the lengths of tokens
    that begin with all of them, the longest first.
    """

    def __init__(self, tokens: Mapping[str, str]):
        super().__init__(self._look_up)
        self._tokens = tokens
        lengths: dict[str, set[int]] = {}
        for token in tokens:
            if len(token) > BEGINNING:
                lengths.setdefault(token[:BEGINNING], set()).add(len(token))
        self._lengths = {key: tuple(sorted(each)[::-1]) for key, each in lengths.items()}

    def _look_up(self, beginning: str) -> tuple[str | None, int, tuple[int, ...]]:
        lengths = self._lengths.get(beginning, ())
        for length in range(len(beginning), 0, -1):
            token = self._tokens.get(beginning[:length])
            if token is not None:
                return token, length, lengths
        return None, 1, lengths


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
