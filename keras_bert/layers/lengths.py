"""Checks of the length of sequences."""

from __future__ import annotations


def check_length(layer, length):
    """Refuse a sequence that has no positions, or more than the layer.

    None is not known yet, nor is a symbol, which JAX has for any length when it exports.
    """
    if not isinstance(length, int):
        return
    if length == 0:
        raise ValueError(
            f"Layer '{layer.name}' needs sequences of at least one position. Received: a sequence "
            "of length 0."
        )
    if length > layer.input_dim:
        raise ValueError(too_long(layer, length))


def too_long(layer, length) -> str:
    """Say that a sequence is longer than a layer has positions."""
    return (
        f"Layer '{layer.name}' holds {layer.input_dim} positions. Received: a sequence of length "
        f"{length}. Truncate it, or build the model with more positions."
    )
