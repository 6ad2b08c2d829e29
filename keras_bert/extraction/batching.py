"""Batches of rows of about one length, by several threads, and results in the order of the rows.

Legend: B rows of a batch, T their length after padding. Nothing here knows of models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate, chain, islice
from typing import Any, NamedTuple

import numpy as np

from ..tokenizer.batch_arrays import Row, pad_batch

LOOK_AHEAD = 2048  # rows that are sorted by length together


class Budget(NamedTuple):
    """How many tokens, B·T, are a batch, and how many of them may be padding.

    So much padding costs about what it costs to call a model once more.
    """

    tokens: int
    padding: int


CPU = Budget(2048, 100)
ACCELERATOR = Budget(16384, 1024)


class Batch(NamedTuple):
    """Some rows as token ids and segment ids (B, T), padded with zeros, and the rows' lengths.

    There may be fewer lengths than B: what follows only fills the batch up.
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    lengths: np.ndarray


def map_in_batches(
    compute: Callable[[Iterable[Batch]], Iterable[Sequence[Any]]],
    rows: Iterable[Row],
    pad_length_of: Callable[[int], int] | None,
    batch_size: int | None = None,
    few_shapes: bool = False,
    budget: Budget = CPU,
    ahead: int = 0,
) -> Iterator[tuple[Row, Any]]:
    """Apply a function of batches to rows, of which `LOOK_AHEAD` are read at a time.

    Args:
        compute: Takes batches and gives, for each in turn, a result for each of its lengths.
        rows: The rows.
        pad_length_of: The length to pad a batch to, by the length of its longest row; None never
            pads: then only rows of one length make a batch.
        batch_size: The most rows in a batch; None leaves it to the budget.
        few_shapes: Whether to fill batches up to one of a few numbers of rows.
        budget: What the device computes at once.
        ahead: How many times `LOOK_AHEAD` rows more are given to `compute`, before results are
            asked for: while a device computes, the next rows are read.

    Yields:
        Every row with its result, in the order of the rows.
    """
    rows, begun = iter(rows), deque()
    while window := list(islice(rows, LOOK_AHEAD)):
        lengths = [len(ids) for ids, _, _ in window]
        groups = list(_groups(lengths, pad_length_of, batch_size, few_shapes, budget))
        begun.append((window, groups, compute(_batches(window, groups))))
        if len(begun) > ahead:
            yield from _in_order(*begun.popleft())
    while begun:
        yield from _in_order(*begun.popleft())


def _batches(window: list[Row], groups) -> Iterator[Batch]:
    for indices, count, length in groups:
        yield _as_batch([window[index] for index in indices], count, length)


def _in_order(window: list[Row], groups, computed) -> Iterator[tuple[Row, Any]]:
    results: list[Any] = [None] * len(window)
    for (indices, _, _), made in zip(groups, computed, strict=True):
        for index, result in zip(indices, made, strict=True):
            results[index] = result
    return zip(window, results, strict=True)


def pad_to(length: int) -> Callable[[int], int]:
    """Pad every batch to one length."""
    return lambda longest: length


def pad_to_longest(longest: int) -> int:
    """Pad no further than the longest row needs."""
    return longest


def pad_to_bucket(limit: int | None) -> Callable[[int], int]:
    """Pad to the next of a few lengths, for runtimes that compile every shape of a batch anew."""

    def pad_length_of(longest: int) -> int:
        step = 8 if longest <= 64 else 16 if longest <= 128 else 32
        bucket = -(-longest // step) * step
        return bucket if limit is None else min(bucket, limit)

    return pad_length_of


def _groups(
    lengths, pad_length_of, batch_size, few_shapes, budget
) -> Iterator[tuple[list[int], int, int]]:
    """For every batch the indices of its rows, and the number of rows and length to fill up to.

    The longest come first, so that what takes most memory fails at once or never. Where rows could
    be padded less in the next batch, a batch ends when its padding exceeds the budget.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    while order:
        longest = lengths[order[0]]
        length = pad_length_of(longest) if pad_length_of else longest
        most = batch_size or max(1, budget.tokens // length)
        indices = order[:most]
        if pad_length_of is None:
            indices = [index for index in indices if lengths[index] == longest]
        elif not few_shapes:
            saved = accumulate(length - pad_length_of(lengths[index]) for index in indices)
            indices = indices[: sum(1 for each in saved if each <= budget.padding)]
        order = order[len(indices) :]
        count = min(most, 1 << (len(indices) - 1).bit_length()) if few_shapes else len(indices)
        yield indices, count, length


def _as_batch(rows: list[Row], count: int, length: int) -> Batch:
    token_ids, segment_ids, lengths = pad_batch(rows, length, 0)
    if len(rows) < count:  # filled with a row that the model can compute
        filled = np.minimum(np.arange(count), len(rows)) % len(rows)
        token_ids, segment_ids = token_ids[filled], segment_ids[filled]
    return Batch(token_ids, segment_ids, lengths)


def map_in_threads(
    function: Callable,
    items: Iterable,
    threads: int,
    begin_thread: Callable[[], None] | None = None,
) -> Iterator:
    """`map` by a number of threads, which begin as many items more than have been asked for.

    Items are taken in the caller's thread, and a single one is computed there; each other thread
    calls `begin_thread` first. An error reaches the caller in the place of its item, and where the
    caller stops, no further item is begun.
    """
    items = iter(items)
    first = list(islice(items, 2))
    if threads == 1 or len(first) < 2:
        yield from map(function, chain(first, items))
        return
    pool, begun = ThreadPoolExecutor(threads, initializer=begin_thread), deque()
    try:
        for item in chain(first, items):
            try:
                result = pool.submit(function, item).result
            except RuntimeError:  # the interpreter is ending and begins no threads
                result = partial(function, item)
            begun.append(result)
            if len(begun) > threads:
                yield begun.popleft()()
        while begun:
            yield begun.popleft()()
    finally:
        pool.shutdown(cancel_futures=True)
