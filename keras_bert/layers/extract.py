"""Picking one position of a sequence, or one feature of every position."""

from ..backend import layers, serializable, static_shape


@serializable
class Extract(layers.Layer):
    """The features at one position of every sequence, such as the first token's.

    Args:
        index: Position in the sequence; negative ones count from the end.
        axis: 1 for a position in the sequence, 2 for one among the features.

    Call args:
        inputs: Features (B, T, D).

    Returns:
        Features (B, D), or with `axis=2` one of every position (B, T), without a mask.

    Raises:
        ValueError: If the sequences have no such position, or `axis` is another.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import Extract
        >>> tuple(Extract(index=0)(np.ones((2, 5, 8), "float32")).shape)
        (2, 8)
    """

    def __init__(self, index, *, axis=1, **kwargs):
        super().__init__(**kwargs)
        if axis not in (1, 2):
            raise ValueError(f"`axis` must be 1 or 2. Received: axis={axis!r}.")
        self.supports_masking = True
        self.index = index
        self.axis = axis

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (*input_shape[: self.axis], *input_shape[self.axis + 1 :])

    def call(self, inputs):
        length = static_shape(inputs)[self.axis]
        if length is not None and not -length <= self.index < length:
            raise ValueError(
                f"Layer '{self.name}' extracts position {self.index}, which the sequences it was "
                f"given do not have. Received: features of shape {static_shape(inputs)}."
            )
        return inputs[:, self.index] if self.axis == 1 else inputs[:, :, self.index]

    def get_config(self):
        # The usual axis is left out: older readers of such files know none.
        axis = {} if self.axis == 1 else {"axis": self.axis}
        return {**super().get_config(), "index": self.index, **axis}
