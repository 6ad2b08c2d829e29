"""Batches of rows of about one length, and results in the order of the rows.

Legend: B rows of a batch, T their length after padding. Nothing here knows of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

import numpy as np

LOOK_AHEAD = 2048  # rows that are sorted by length together


class Budget(NamedTuple):
    """How many tokens are a batch."""

    tokens: int  # B·T
    padding: int  # of them padding: about what it costs to call a model once more


CPU = Budget(2048, 100)  # slower with more
ACCELERATOR = Budget(16384, 1024)

Row = tuple[list[int], list[int]]  # token ids and segment ids of one text


class Batch(NamedTuple):
    """Some rows as arrays, padded with zeros."""

    token_ids: np.ndarray  # (B, T)
    segment_ids: np.ndarray  # (B, T)
    lengths: list[int]  # without padding; rows beyond them only fill the batch up


def map_in_batches(
    compute: Callable[[Iterable[Batch]], Iterable[Sequence[Any]]],
    rows: Iterable[Row],
    padded_length: Callable[[int], int] | None,
    batch_size: int | None = None,
    few_shapes: bool = False,
    budget: Budget = CPU,
) -> Iterator[Any]:
    """Apply a function of batches to rows, of which `LOOK_AHEAD` are read at a time.

    Args:
        compute: Takes batches and gives, for each of them in turn, a result for each of its
            lengths.
        rows: Token ids and segment ids of every text.
        padded_length: The length to pad a batch to, by the length of its longest row; None never
            pads: then only rows of one length make a batch.
        batch_size: The most rows in a batch; None leaves it to a budget of tokens.
        few_shapes: Whether to fill batches up to one of a few numbers of rows.
        budget: What the device computes at once.

    Yields:
        The result for every row, in the order of the rows.
    """
    rows = iter(rows)
    while window := list(islice(rows, LOOK_AHEAD)):
        results: list[Any] = [None] * len(window)
        lengths = [len(ids) for ids, _ in window]
        groups = list(_groups(lengths, padded_length, batch_size, few_shapes, budget))
        batches = (
            _as_batch([window[place] for place in places], count, length)
            for places, count, length in groups
        )
        for (places, _, _), made in zip(groups, compute(batches), strict=True):
            for place, result in zip(places, made, strict=True):
                results[place] = result
        yield from results


def pad_to(length: int) -> Callable[[int], int]:
    """Pad every batch to one length."""
    return lambda longest: length


def pad_to_longest(longest: int) -> int:
    """Pad no further than the longest row needs."""
    return longest


def pad_to_bucket(limit: int | None) -> Callable[[int], int]:
    """Pad to the next of a few lengths, for runtimes that compile every shape of a batch anew."""

    def padded_length(longest: int) -> int:
        step = 8 if longest <= 64 else 16 if longest <= 128 else 32
        bucket = -(-longest // step) * step
        return bucket if limit is None else min(bucket, limit)

    return padded_length


def _groups(
    lengths, padded_length, batch_size, few_shapes, budget
) -> Iterator[tuple[list[int], int, int]]:
    """For every batch the places of its rows, and the number of rows and the length to fill up to.

    The longest come first, so that what takes most memory fails at once or never. Where rows could
    be padded less in the next batch, a batch ends when its padding exceeds the budget.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        longest = lengths[order[0]]
        length = padded_length(longest) if padded_length else longest
        most = batch_size or max(1, budget.tokens // length)
        places = order[:most]
        if padded_length is None:
            places = [place for place in places if lengths[place] == longest]
        elif not few_shapes:
            saved = accumulate(length - padded_length(lengths[place]) for place in places)
            places = places[: sum(1 for each in saved if each <= budget.padding)]
        order = order[len(places) :]
        count = min(most, 1 << (len(places) - 1).bit_length()) if few_shapes else len(places)
        yield places, count, length


def _as_batch(rows: list[Row], count: int, length: int) -> Batch:
    arrays = np.zeros((2, count, length), "int32")
    for part in (0, 1):
        for place, row in enumerate(rows):
            arrays[part, place, : len(row[part])] = row[part]
    arrays[:, len(rows) :] = arrays[:, :1]  # filled with a row that the model can compute
    return Batch(*arrays, [len(ids) for ids, _ in rows])
