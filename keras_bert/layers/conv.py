"""Convolution over unmasked positions."""

from ..backend import MaskArgument, layers, ops, serializable


@serializable
class MaskedConv1D(MaskArgument, layers.Conv1D):
    """Conv1D that reads zeros at masked positions and gives the output a mask of its own length.

    An output position takes the mask of the last input position that its kernel covers (padding
    "valid") or of its own position ("same", "causal").

    Arguments are those of `keras.layers.Conv1D`.

    Call args:
        inputs: Features (B, T, D).
        mask: Boolean (B, T), or None.

    Returns:
        Features (B, T', filters).

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import MaskedConv1D
        >>> features, mask = np.ones((1, 5, 8), "float32"), np.array([[True, True, True, 0, 0]])
        >>> tuple(MaskedConv1D(filters=4, kernel_size=3)(features, mask=mask.astype(bool)).shape)
        (1, 3, 4)
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        first = 0
        if self.padding == "valid":
            first = (self.kernel_size[0] - 1) * self.dilation_rate[0]
        return mask[:, first :: self.strides[0]]

    def call(self, inputs, mask=None):
        if mask is not None:
            time_last = self.data_format == "channels_first"
            mask = ops.expand_dims(mask, 1 if time_last else -1)
            inputs = ops.where(mask, inputs, ops.cast(0, inputs.dtype))
        return super().call(inputs)
