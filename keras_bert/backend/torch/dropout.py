"""Dropout on a CPU by fewer random bits."""

from __future__ import annotations

import torch

from .tracing import traced

_NUMBERS = 2**16


def drop(features, rate: float):
    """Dropout by 16 random bits a feature, which PyTorch's global generator gives.

    PyTorch itself draws 32 bits and rounds each to 0 or 1 by itself. The rate is met to 1 in
    65,536, and what is kept is scaled by the rate met.

    Args:
        features: Float tensor.
        rate: Share of the features to drop.

    Returns:
        The features, some of them 0; or None elsewhere than on a CPU, and where PyTorch compiles or
        transforms functions.
    """
    dropped = round(rate * _NUMBERS)
    if not 0 < dropped < _NUMBERS or features.device.type != "cpu" or traced(features):
        return None
    count = features.numel()
    drawn = features.new_empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    numbers = drawn.view(torch.int16)[:count].view(features.shape)
    kept = features.new_empty(features.shape)
    torch.ge(numbers, dropped - _NUMBERS // 2, out=kept)
    return features * kept.mul_(_NUMBERS / (_NUMBERS - dropped))
