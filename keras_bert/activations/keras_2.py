"""Activations that Keras 2 computes otherwise than Keras 3."""

from __future__ import annotations

from typing import Any

from ..backend import ops, serializable


@serializable
def hard_sigmoid_keras_2(x: Any) -> Any:
    """Keras 2's `hard_sigmoid`: `0.2·x + 0.5`, clipped to 0…1. That of Keras 3 has the slope 1/6.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of the shape and dtype of `x`.

    Example:
        >>> from keras_bert.activations import hard_sigmoid_keras_2
        >>> from keras_bert.backend import layers
        >>> gates = layers.LSTM(4, recurrent_activation=hard_sigmoid_keras_2)
    """
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
