"""Picking one position of a sequence."""

from ..backend import layers, serializable, static_shape


@serializable
class Extract(layers.Layer):
    """The features at one position of every sequence, such as the first token's.

    Args:
        index: Place in the sequence; negative ones count from the end.

    Call args:
        inputs: Features (B, T, D).

    Returns:
        Features (B, D), without a mask.

    Raises:
        ValueError: If the sequences have no such position.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import Extract
        >>> tuple(Extract(index=0)(np.ones((2, 5, 8), "float32")).shape)
        (2, 8)
    """

    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.index = index

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])

    def call(self, inputs):
        length = static_shape(inputs)[1]
        if length is not None and not -length <= self.index < length:
            raise ValueError(
                f"Layer '{self.name}' extracts position {self.index}, which the sequences it was "
                f"given do not have. Received: features of shape {static_shape(inputs)}."
            )
        return inputs[:, self.index]

    def get_config(self):
        return {**super().get_config(), "index": self.index}
