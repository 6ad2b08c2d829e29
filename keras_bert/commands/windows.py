"""Texts with more tokens than a model has positions, in windows that overlap by half.

So each token is read at least once with a quarter of a window on either side of it, as far as the
text goes. Google's run_squad.py and transformers' pipelines have such strides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..tokenizer.batch_arrays import Row


class EncodedText(NamedTuple):
    """A text with its tokens, special ones included, as the model reads them."""

    text: str
    question: str | None  # in front of the text, of a reader's
    tokens: list[str]
    first_length: int  # tokens of the first segment
    offsets: list[tuple[int, int]]  # of each token in its text; (0, 0) of special ones


Window = tuple[EncodedText, np.ndarray]  # a part of a text, and its logits


def split(row: Row, encoded: EncodedText, limit: int) -> Iterator[tuple[Row, EncodedText]]:
    """Split a text into windows, each with what stands before the text and after it.

    Args:
        row: All ids: [CLS], text, [SEP], or [CLS], question, [SEP], text, [SEP].
        encoded: The same with tokens.
        limit: The most ids of a window, more than are not of the text.
    """
    ids, first_length, second_length = row
    opening = first_length if second_length else 1
    count = len(ids) - 1 - opening
    for start, end in _spans(count, limit - 1 - opening):
        kept = [*range(opening), *range(opening + start, opening + end), len(ids) - 1]
        tokens = [encoded.tokens[index] for index in kept]
        offsets = [encoded.offsets[index] for index in kept]
        lengths = (opening, len(kept) - opening) if second_length else (len(kept), 0)
        yield (
            ([ids[index] for index in kept], *lengths),
            EncodedText(encoded.text, encoded.question, tokens, lengths[0], offsets),
        )


def _spans(count: int, room: int) -> Iterator[tuple[int, int]]:
    """Where windows begin and end in so many tokens, if each has room for `room`."""
    start = 0
    while start + room < count:
        yield start, start + room
        start += (room + 1) // 2
    yield start, count


def join(windows: Sequence[Window]) -> Window:
    """Put the windows of a text together; of two that overlap, each gives the half it reaches into.

    Args:
        windows: Those of one text without a question, with logits of every token.
    """
    if len(windows) == 1:
        return windows[0]
    room = len(windows[0][0].tokens) - 2
    step = (room + 1) // 2
    cut = (room - step) // 2  # of each overlap, what the window before it gives
    tokens, offsets, logits = [], [], []
    for number, (encoded, found) in enumerate(windows):
        is_last = number == len(windows) - 1
        begin = 0 if number == 0 else 1 + cut
        end = len(encoded.tokens) if is_last else 1 + step + cut
        tokens += encoded.tokens[begin:end]
        offsets += encoded.offsets[begin:end]
        logits.append(found[begin:end])
    whole = windows[0][0]._replace(tokens=tokens, first_length=len(tokens), offsets=offsets)
    return whole, np.concatenate(logits)
