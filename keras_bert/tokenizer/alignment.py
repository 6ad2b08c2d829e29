"""Where tokens stand in the text they were made from, wrong tokens included.

The tokens, joined by blanks, and the text are aligned by their edit distance (insertions,
deletions and substitutions cost one each), and each token takes the place its characters fell
on. The distance is computed by the bit-parallel recurrence of Myers, "A fast bit-vector algorithm
for approximate string matching based on dynamic programming" (J. ACM 46, 1999), in the form for
global distance of Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit
distances" (2003): one row of the table is a handful of operations on Python integers.
"""

from collections.abc import Callable, Sequence
from math import isqrt

CONTINUATION = "##"
# What an unknown token is compared as: one character that is rarely in the text.
_UNKNOWN_CHARACTER = "#"


def align_tokens(
    text: str,
    tokens: Sequence[str],
    cased: bool,
    unknown_token: str,
    is_space: Callable[[str], bool],
) -> list[tuple[int, int]]:
    """Find the place of each token in the text.

    Args:
        text: the original text.
        tokens: tokens made from it, without special tokens; they need not be right.
        cased: whether the tokens have kept their case.
        unknown_token: the token that stands for any piece of text.
        is_space: the rule for spaces. Spaces at the ends of the text belong to no token.

    Returns:
        For each token (start, end) in the text.
    """
    text = text.rstrip()
    heading = next((i for i, character in enumerate(text) if not is_space(character)), len(text))
    text = text[heading:]
    joined, places = _join(tokens, cased, unknown_token)
    characters = list(text) if cased else [character.lower() for character in text]
    ends = _align(characters, joined)
    intervals = [[ends[start], ends[stop]] for start, stop in places]
    _widen(intervals, text, tokens, cased, is_space)
    return [(start + heading, end + heading) for start, end in intervals]


def _join(
    tokens: Sequence[str], cased: bool, unknown_token: str
) -> tuple[str, list[tuple[int, int]]]:
    """Write the tokens as a text; return it and the place of each token in it."""
    parts: list[str] = []
    places = []
    length = 0
    for token in tokens:
        if token == unknown_token:
            token = _UNKNOWN_CHARACTER
        if not cased:
            token = token.lower()
        if _continues(token):
            token = token[len(CONTINUATION) :]
        elif length > 0:
            parts.append(" ")
            length += 1
        places.append((length, length + len(token)))
        parts.append(token)
        length += len(token)
    return "".join(parts), places


def _continues(token: str) -> bool:
    return len(token) > len(CONTINUATION) and token.startswith(CONTINUATION)


def _align(characters: Sequence[str], target: str) -> list[int]:
    """Align two sequences by edit distance.

    Of several best alignments the one is taken that, read from the end, prefers a pair of
    characters, then a character of the text alone, then one of the target alone.

    Args:
        characters: characters of the text, n of them.
        target: string of m characters.

    Returns:
        For each of the m + 1 places between characters of the target the smallest place in the
        text that the alignment puts beside it.
    """
    n, m = len(characters), len(target)
    beside = [0] * (m + 1)
    rows = _Rows(characters, target)
    i, j = n, m
    beside[j] = i
    while i > 0 and j > 0:
        changes, rises = rows[i]
        if characters[i - 1] == target[j - 1] or not changes >> (j - 1) & 1:
            i, j = i - 1, j - 1
        elif rises >> (j - 1) & 1:
            i -= 1
        else:
            j -= 1
        beside[j] = i
    return beside


class _Rows:
    """Rows of the table of edit distances, as bits, to be read from the last to the first.

    With D[i, j] the distance of the first i characters from the first j of the target, row i is
    two integers, whose bit j - 1 says whether D[i, j] = D[i-1, j-1] and D[i, j] = D[i-1, j] + 1.
    Only every sqrt(n)-th state is kept; the rows of one block are computed again when read.
    """

    def __init__(self, characters: Sequence[str], target: str):
        self._characters = characters
        self._mask = (1 << len(target)) - 1
        self._places: dict[str, int] = {}
        for j, character in enumerate(target):
            self._places[character] = self._places.get(character, 0) | 1 << j
        self._block_size = isqrt(len(characters)) + 1
        # D[0, j] = j: along the first row each step to the right rises.
        state = (self._mask, 0)
        self._states = []
        for i, character in enumerate(characters):
            if i % self._block_size == 0:
                self._states.append(state)
            state = self._step(*state, character)[:2]
        self._block: list[tuple[int, int]] = []
        self._block_start = len(characters)

    def _step(self, right_rises: int, right_falls: int, character: str) -> tuple[int, ...]:
        """From the steps along one row to those along the next, and what joins the two."""
        mask = self._mask
        same = self._places.get(character, 0)
        along = same | right_falls
        equal = ((right_rises + (right_rises & along)) ^ right_rises) | along
        down_rises = right_falls | (mask & ~(right_rises | equal))
        down_falls = right_rises & equal
        # D[i, 0] = i: the column before the first rises by one in each row.
        shifted = down_rises << 1 | 1
        next_falls = shifted & equal & mask
        next_rises = (down_falls << 1 | ~(shifted | equal)) & mask
        return next_rises, next_falls, equal, down_rises

    def __getitem__(self, i: int) -> tuple[int, int]:
        if i <= self._block_start or not self._block:
            number = (i - 1) // self._block_size
            self._block_start = number * self._block_size
            state = self._states[number]
            self._block = []
            for character in self._characters[self._block_start : i]:
                *state, equal, down_rises = self._step(*state, character)
                self._block.append((equal, down_rises))
        return self._block[i - self._block_start - 1]


def _widen(
    intervals: list[list[int]],
    text: str,
    tokens: Sequence[str],
    cased: bool,
    is_space: Callable[[str], bool],
) -> None:
    """Let tokens that differ from their place take in the characters around it, up to spaces."""
    for i, (interval, token) in enumerate(zip(intervals, tokens, strict=True)):
        found = text[interval[0] : interval[1]]
        if _continues(token):
            token = token[len(CONTINUATION) :]
        if not cased:
            found, token = found.lower(), token.lower()
        if found == token:
            continue
        border = intervals[i - 1][1] if i > 0 else 0
        while interval[0] > border and not is_space(text[interval[0] - 1]):
            interval[0] -= 1
        border = intervals[i + 1][0] if i + 1 < len(intervals) else len(text)
        while interval[1] < border and not is_space(text[interval[1]]):
            interval[1] += 1
