"""The texts that all contestants of training.py learn from."""

from __future__ import annotations

import numpy as np

VOCABULARY = 30522


def make_texts(
    count: int, length: int, padding: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random token ids, which fill half of a row or more, or all of it, segment ids and labels."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(length // 2 if padding else length, length + 1, count)
    tokens = generator.integers(1000, VOCABULARY, (count, length))
    tokens *= np.arange(length) < lengths[:, None]
    return tokens, np.zeros_like(tokens), generator.integers(0, 2, count)
