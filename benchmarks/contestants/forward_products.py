"""The matrix products of the model and nothing else, by PyTorch: the limit in forward.py."""

import functools
import sys

import torch
from forward_shared import HEADS, HIDDEN, LAYERS, SIZE, serve_forward

dtype, calls, _ = sys.argv[1:]
device = "cuda" if torch.cuda.is_available() else "cpu"


def random(*shape):
    return torch.randn(shape).to(device, getattr(torch, dtype))


layers = [
    [*(random(SIZE, SIZE) for _ in range(4)), random(SIZE, HIDDEN), random(HIDDEN, SIZE)]
    for _ in range(LAYERS)
]


@functools.cache
def make_arrays(texts, length):
    """The arrays that are multiplied with the weights or each other, and those of the results."""
    rows, heads, head_size = texts * length, texts * HEADS, SIZE // HEADS
    features, hidden, output = random(rows, SIZE), random(rows, HIDDEN), random(rows, SIZE)
    query, key = random(heads, length, head_size), random(heads, head_size, length)
    scores, attended = random(heads, length, length), random(heads, length, head_size)
    return features, hidden, output, query, key, scores, attended


@torch.inference_mode()
def compute(tokens, segments):
    features, hidden, output, query, key, scores, attended = make_arrays(*tokens.shape)
    for *attention, widen, narrow in layers:
        for kernel in attention:  # of query, key, value and output
            torch.mm(features, kernel, out=output)
        torch.bmm(query, key, out=scores)
        torch.bmm(scores, query, out=attended)
        torch.mm(features, widen, out=hidden)
        torch.mm(hidden, narrow, out=output)
    if device == "cuda":
        torch.cuda.synchronize()


serve_forward(compute, calls)
