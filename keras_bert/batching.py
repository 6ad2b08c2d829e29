"""Batches of rows of about one length, and results in the order of the rows.

Legend: B rows of a batch, T their length after padding. Nothing here knows of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

LOOK_AHEAD = 2048  # rows that are sorted by length together
TOKEN_BUDGET = 4096  # B·T of a batch

Row = tuple[list[int], list[int]]  # token ids and segment ids of one text


class Batch(NamedTuple):
    """Some rows as arrays, padded with zeros."""

    token_ids: np.ndarray  # (B, T)
    segment_ids: np.ndarray  # (B, T)
    lengths: list[int]  # without padding; of as many rows as there are texts, B or fewer


def map_in_batches(
    compute: Callable[[Batch], Sequence[Any]],
    rows: Iterable[Row],
    padded_length: Callable[[int], int] | None,
    batch_size: int | None = None,
) -> Iterator[Any]:
    """Apply a function of batches to rows, of which `LOOK_AHEAD` are read at a time.

    Args:
        compute: Takes a `Batch` and returns a result for each of its lengths.
        rows: Token ids and segment ids of every text.
        padded_length: The length to pad a batch to, by the length of its longest row; None never
            pads: then only rows of one length make a batch.
        batch_size: The most rows in a batch, besides the budget of tokens.

    Yields:
        The result for every row, in the order of the rows.
    """
    rows = iter(rows)
    while window := list(islice(rows, LOOK_AHEAD)):
        results: list[Any] = [None] * len(window)
        for places, length in _groups([len(ids) for ids, _ in window], padded_length, batch_size):
            batch = _as_batch([window[place] for place in places], length, batch_size)
            for place, result in zip(places, compute(batch), strict=True):
                results[place] = result
        yield from results


def pad_to(length: int) -> Callable[[int], int]:
    """Pad every batch to one length."""
    return lambda longest: length


def pad_to_bucket(limit: int | None) -> Callable[[int], int]:
    """Pad to the next of a few lengths: some runtimes compile every shape of a batch anew."""

    def padded_length(longest: int) -> int:
        step = 8 if longest <= 64 else 16 if longest <= 128 else 32
        bucket = -(-longest // step) * step
        return bucket if limit is None else min(bucket, limit)

    return padded_length


def _groups(lengths, padded_length, batch_size) -> Iterator[tuple[list[int], int]]:
    """Places of the rows that make a batch, longest rows first, and the length to pad them to."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        longest = lengths[order[0]]
        length = padded_length(longest) if padded_length else longest
        count = max(1, TOKEN_BUDGET // length)
        places = order[: min(count, batch_size or count)]
        if padded_length is None:
            places = [place for place in places if lengths[place] == longest]
        order = order[len(places) :]
        yield places, length


def _as_batch(rows: list[Row], length: int, batch_size: int | None) -> Batch:
    # The last batch of a window may have any number of rows. Filled up to a power of two, it has
    # one of a few shapes too.
    count = 1 << (len(rows) - 1).bit_length()
    count = max(len(rows), min(count, TOKEN_BUDGET // length, batch_size or count))
    arrays = np.zeros((2, count, length), "int32")
    for part in (0, 1):
        for target, row in zip(arrays[part], rows, strict=False):
            target[: len(row[part])] = row[part]
    arrays[:, len(rows) :] = arrays[:, :1]  # a row that the model can compute
    return Batch(*arrays, [len(ids) for ids, _ in rows])
