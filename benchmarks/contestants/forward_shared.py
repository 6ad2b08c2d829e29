"""BERT-base's sizes, the inputs and the turns of all contestants of forward.py."""

from __future__ import annotations

import functools

import numpy as np
from shared import serve

VOCABULARY, LAYERS, SIZE, HEADS, HIDDEN = 30522, 12, 768, 12, 3072
# What transformers calls the two forms of GELU.
HIDDEN_ACT = {"gelu_erf": "gelu", "gelu": "gelu_pytorch_tanh"}


@functools.cache
def make_inputs(texts: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Token ids, which fill half of a row or more, and segment ids."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(length // 2, length + 1, texts)
    tokens = generator.integers(1000, VOCABULARY, (texts, length))
    tokens = (tokens * (np.arange(length) < lengths[:, None])).astype("int32")
    return tokens, np.zeros_like(tokens)


def serve_forward(compute, calls: str) -> None:
    """In a turn, call `compute(tokens, segments)` so many times; both int32 (texts, length)."""

    def act(texts, length):
        for _ in range(int(calls)):
            compute(*make_inputs(int(texts), int(length)))

    compute(*make_inputs(2, 16))  # TensorFlow compiles for one shape first, then for all
    serve(act)
