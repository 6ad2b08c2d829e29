"""Keeping the beginning of a sequence."""

from ..arguments import as_size
from ..backend import layers, serializable


@serializable
class FirstTokens(layers.Layer):
    """The features of the first tokens of every sequence, with their mask.

    Args:
        length: Number K of tokens; sequences shorter than that stay whole.

    Call args:
        inputs: Features (B, T, D).

    Returns:
        Features (B, min(K, T), D).

    Raises:
        ValueError: If `length` is below 1.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import FirstTokens
        >>> tuple(FirstTokens(1)(np.ones((2, 5, 8), "float32")).shape)
        (2, 1, 8)
    """

    def __init__(self, length, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.length = as_size("length", length)

    def call(self, inputs):
        return inputs[:, : self.length]

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[:, : self.length]

    def compute_output_shape(self, input_shape):
        batch, length, *rest = input_shape
        if length is not None:
            length = min(self.length, length)
        return (batch, length, *rest)

    def get_config(self):
        return {**super().get_config(), "length": self.length}
