"""What operations of Keras do to tensors of PyTorch, without the checks that take longer."""

from __future__ import annotations

from ..backend import ops


def cast(tensor, dtype: str):
    """`ops.cast`."""
    import torch

    if not isinstance(tensor, torch.Tensor):
        return ops.cast(tensor, dtype)
    return tensor.to(getattr(torch, dtype))


def weight_for(features, weight):
    """A variable's tensor in the type and on the device of features.

    Args:
        features: The tensor it is used with.
        weight: A Keras variable, or a tensor that is computed from several.
    """
    return getattr(weight, "value", weight).to(features)
