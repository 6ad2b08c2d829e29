"""Words to WordPiece tokens, the greedy way, and where the pieces stand in the word."""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import accumulate

from .alignment import CONTINUATION, align_tokens
from .words import Word

# The limit of Hugging Face's tokenizers and of the first version of Google's.
MAX_INPUT_CHARS_PER_WORD = 100


def greedy_pieces(
    word: str,
    vocabulary: Container[str],
    unknown: str | None = None,
    reach: Mapping[str, int] | None = None,
) -> list[str]:
    """Cut a word into the longest pieces of the vocabulary, from left to right.

    Where no piece begins, 0.89 makes one character a piece of its own, known or not, and goes on
    behind it. Officially the whole word is unknown then, as are words of more than 100 characters.

    Args:
        word: the word.
        vocabulary: holds the pieces; those that continue a word begin with `##`.
        unknown: the token for words that cannot be cut. None: 0.89's way.
        reach: how long pieces can be, as `reach_of` tells it, for speed.

    Returns:
        The pieces: `[""]` for an empty word that is in the vocabulary, `[]` for one that is not.
    """
    if unknown is not None and len(word) > MAX_INPUT_CHARS_PER_WORD:
        return [unknown]
    if word in vocabulary:
        return [word]
    longest = len(word) if reach is None else reach[""]
    pieces = []
    start, end = 0, len(word)
    prefix = ""
    while start < end:
        # Cut from a copy that is as short as can be: words may be very long.
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

    Tokens that continue a word are also found by the three behind their `##`; "" is the beginning
    of all.
    """
    reach = {"": 1}
    for token in tokens:
        size = len(token)
        if size > reach[""]:
            reach[""] = size
        for key in (token[:3], token[:5]):
            if size > reach.get(key, 0) and size >= 3:
                reach[key] = size
    return reach


class PlacedToken(str):
    """A token that knows where in the text it stands, wherever it is moved to.

    Attributes:
        place: (start, end) in the original text.
    """

    __slots__ = ("place",)
    place: tuple[int, int]


def placed_tokens(tokens: Iterable[str], places: Iterable[tuple[int, int]]) -> list[str]:
    """Give tokens their places."""
    placed = list(map(PlacedToken, tokens))
    for token, place in zip(placed, places, strict=True):
        token.place = place
    return placed


def place_pieces(word: Word, pieces: Sequence[str], unknown: str) -> list[tuple[int, int]]:
    """Return (start, end) in the original text for each piece of a word.

    Pieces of `greedy_pieces` spell the word, or are one token for the whole of it; others, which a
    subclass may make, are aligned as well as it goes.
    """
    return [_span(word.places, start, end) for start, end in _ranges(word.text, pieces, unknown)]


def _ranges(word: str, pieces: Sequence[str], unknown: str) -> list[tuple[int, int]]:
    if len(pieces) == 1:
        return [(0, len(word))]
    # Only later pieces carry the prefix: a first one may begin with these characters.
    parts = [*pieces[:1], *(piece[len(CONTINUATION) :] for piece in pieces[1:])]
    if "".join(parts) != word:
        return align_tokens(word, pieces, True, unknown, str.isspace)
    ends = list(accumulate(map(len, parts)))
    return list(zip([0, *ends], ends, strict=False))


def _span(places: Sequence[int], start: int, end: int) -> tuple[int, int]:
    if end - start == 1:
        return places[start], places[start] + 1
    if start == end:
        place = places[start] if start < len(places) else places[-1] + 1
        return place, place
    # Combining marks that are kept may have changed places with one another.
    return min(places[start:end]), max(places[start:end]) + 1
