"""The offsets of tokens in the text they come from, wrong tokens included.

The tokens, joined by blanks, are aligned with the text by their edit distance (insertions,
deletions and substitutions cost one each), which the bit-parallel recurrence of Myers, "A fast
bit-vector algorithm for approximate string matching based on dynamic programming" (J. ACM 46,
1999) computes, in the form for global distance of Hyyrö, "A bit-vector algorithm for computing
Levenshtein and Damerau edit distances" (2003).
"""

from collections.abc import Iterator, Sequence
from math import isqrt

from .words import CharacterRule

Offsets = list[tuple[int, int]]  # (start, end) for each token

CONTINUATION = "##"


def align_tokens(
    text: str, tokens: Sequence[str], cased: bool, unknown_token: str, is_space: CharacterRule
) -> Offsets:
    """Return the offsets of each token in the original text.

    The tokens need not be right, and `unknown_token` stands for any piece of text. Spaces at the
    ends of the text belong to no token.
    """
    text = text.rstrip()
    heading = next((i for i, character in enumerate(text) if not is_space(character)), len(text))
    text = text[heading:]
    joined, spans = _join(tokens, cased, unknown_token)
    characters = list(text) if cased else [character.lower() for character in text]
    aligned = _align(characters, joined)
    offsets = [[aligned[start], aligned[end]] for start, end in spans]
    _widen(offsets, text, tokens, cased, is_space)
    return [(start + heading, end + heading) for start, end in offsets]


def _join(tokens: Sequence[str], cased: bool, unknown_token: str) -> tuple[str, Offsets]:
    """Write the tokens as a text, and return the offsets of each token in it."""
    parts: list[str] = []
    spans = []
    length = 0
    for token in tokens:
        if token == unknown_token:
            token = "#"  # compared as one character that is rarely in a text
        if not cased:
            token = token.lower()
        bare = _bare(token)
        if bare == token and length > 0:
            parts.append(" ")
            length += 1
        spans.append((length, length + len(bare)))
        parts.append(bare)
        length += len(bare)
    return "".join(parts), spans


def _bare(token: str) -> str:
    return token.removeprefix(CONTINUATION) or token


def _align(characters: Sequence[str], target: str) -> list[int]:
    """Return for each offset in the target, from 0 to its length, the one in the text.

    Of several best alignments the one is taken that, read from the end, prefers a pair of
    characters, then a character of the text alone, then one of the target alone. Of several offsets
    in the text the smallest counts, but for offset 0 the largest.
    """
    j = len(target)
    aligned = [0] * (j + 1)
    aligned[j] = len(characters)
    rows = _rows_from_last(characters, target)
    for i, (unchanged, rises) in zip(range(len(characters), 0, -1), rows, strict=True):
        while j > 0:
            if characters[i - 1] == target[j - 1] or not unchanged >> (j - 1) & 1:
                j -= 1
                break
            if rises >> (j - 1) & 1:
                break
            j -= 1
            aligned[j] = i
        else:
            break
        aligned[j] = i - 1
    return aligned


def _rows_from_last(characters: Sequence[str], target: str) -> Iterator[tuple[int, int]]:
    """Yield the rows of the table of edit distances as bits, from the last to the first.

    With D[i, j] the distance of the first i characters from the first j of the target, row i is two
    integers, whose bits j - 1 tell whether D[i, j] = D[i-1, j-1] and D[i, j] = D[i-1, j] + 1. To
    keep memory low, a first pass stores where each block of about sqrt(n) rows begins, whose rows
    are computed again when they are read.
    """
    matches: dict[str, int] = {}
    for j, character in enumerate(target):
        matches[character] = matches.get(character, 0) | 1 << j
    block_size = isqrt(len(characters)) + 1
    blocks = [
        [matches.get(character, 0) for character in characters[start : start + block_size]]
        for start in range(0, len(characters), block_size)
    ]
    mask = (1 << len(target)) - 1
    # D[0, j] = j: along the first row every step to the right rises.
    rises, falls = mask, 0
    starts = []
    for block in blocks:
        starts.append((rises, falls))
        for matching in block:
            rises, falls, _, _ = _next_row(rises, falls, matching, mask)
    for block, start in zip(reversed(blocks), reversed(starts), strict=True):
        rises, falls = start
        rows = []
        for matching in block:
            rises, falls, unchanged, down_rises = _next_row(rises, falls, matching, mask)
            rows.append((unchanged, down_rises))
        yield from reversed(rows)


def _next_row(rises: int, falls: int, matching: int, mask: int) -> tuple[int, int, int, int]:
    """Return the next row's `rises` and `falls`, and what `_rows_from_last` yields for it.

    `rises` and `falls` are the bits of the steps to the right along a row by which the distance
    changes by one, `matching` those of the characters of the target that match that of the row.
    """
    along = matching | falls
    unchanged = ((rises + (rises & along)) ^ rises) | along
    down_rises = falls | (mask & ~(rises | unchanged))
    down_falls = rises & unchanged
    # D[i, 0] = i: down the column before the first, every step rises.
    shifted = down_rises << 1 | 1
    next_falls = shifted & unchanged & mask
    next_rises = (down_falls << 1 | ~(shifted | unchanged)) & mask
    return next_rises, next_falls, unchanged, down_rises


def _widen(
    offsets: list[list[int]], text: str, tokens: Sequence[str], cased: bool, is_space: CharacterRule
) -> None:
    """Let tokens that differ from the text take in the characters around them, up to spaces."""
    for i, (span, token) in enumerate(zip(offsets, tokens, strict=True)):
        found, bare = text[span[0] : span[1]], _bare(token)
        if found == bare or (not cased and found.lower() == bare.lower()):
            continue
        border = offsets[i - 1][1] if i > 0 else 0
        while span[0] > border and not is_space(text[span[0] - 1]):
            span[0] -= 1
        border = offsets[i + 1][0] if i + 1 < len(offsets) else len(text)
        while span[1] < border and not is_space(text[span[1]]):
            span[1] += 1
