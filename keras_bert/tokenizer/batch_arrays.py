"""Encoded texts to arrays of one shape."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

# Token ids of a text or a pair, and how many belong to its first and second part.
Row = tuple[list[int], int, int]


def pad_batch(
    encoded: Sequence[tuple[Sequence[int], int, int]], width: int | None, pad_index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return token ids (B, T), segment ids (B, T) and lengths (B,) of B texts, all int32.

    A text is given as its ids and how many of them belong to the first and to the second text of a
    pair. No text exceeds the `width` T; None stands for the length of the longest.
    """
    count = len(encoded)
    lengths = np.fromiter((len(ids) for ids, _, _ in encoded), np.int32, count)
    first_lengths = np.fromiter((first for _, first, _ in encoded), np.int32, count)
    positions = np.arange(lengths.max(initial=0) if width is None else width)
    filled = positions < lengths[:, None]
    token_ids = np.full(filled.shape, pad_index, np.int32)
    token_ids[filled] = np.fromiter(
        chain.from_iterable(ids for ids, _, _ in encoded), np.int32, int(lengths.sum())
    )
    segment_ids = (filled & (positions >= first_lengths[:, None])).astype(np.int32)
    return token_ids, segment_ids, lengths
