"""Words to WordPiece tokens, the greedy way, and the offsets of the pieces."""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import accumulate

from .alignment import CONTINUATION, Offsets, align_tokens
from .words import Word

# The limit of Hugging Face's tokenizers and of the first version of Google's.
MAX_INPUT_CHARS_PER_WORD = 100


def greedy_pieces(
    word: str,
    vocabulary: Container[str],
    unknown: str | None = None,
    reach: Mapping[str, int] | None = None,
) -> list[str]:
    """Split a word into the longest pieces of the vocabulary, from left to right.

    Where no piece begins, 0.89 makes one character a piece of its own, known or not, and goes on
    behind it. Officially, with `unknown`, the whole word is that token then, as are words of more
    than 100 characters. An empty word has no pieces, unless it is in the vocabulary.

    `reach` tells how long pieces can be, as `reach_of` found it, for speed.
    """
    if unknown is not None and len(word) > MAX_INPUT_CHARS_PER_WORD:
        return [unknown]
    if word in vocabulary:
        return [word]
    longest = len(word) if reach is None else reach[""]
    pieces = []
    start = 0
    prefix = ""
    while start < len(word):
        # No more of the word than a piece can have: words may be very long.
        window = prefix + word[start : start + longest]
        size, least = len(window), len(prefix) + 1
        if reach is not None:
            size = min(size, reach.get(window[: least + 2], least + 1))
        piece = window[:size]
        while piece not in vocabulary and size > least:
            size -= 1
            piece = window[:size]
        if unknown is not None and size == least and piece not in vocabulary:
            return [unknown]
        pieces.append(piece)
        start += size - least + 1
        prefix = CONTINUATION
    return pieces


def reach_of(tokens: Iterable[str]) -> dict[str, int]:
    """Return the length of the longest token for each beginning of three characters.

    For tokens that continue a word, also for their `##` and three characters. "" begins all.
    """
    reach = {"": 1}
    for token in tokens:
        size = len(token)
        if size > reach[""]:
            reach[""] = size
        for beginning in (token[:3], token[:5]):
            if size > reach.get(beginning, 0) and size >= 3:
                reach[beginning] = size
    return reach


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
