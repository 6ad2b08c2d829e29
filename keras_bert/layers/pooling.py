"""Pooling over unmasked positions."""

from ..backend import MaskArgument, layers, ops, serializable


@serializable
class MaskedGlobalMaxPool1D(MaskArgument, layers.Layer):
    """The largest value of every feature over the unmasked positions.

    Masked positions are lowered by 10⁶ (by less in float16, which ends at 65,504), so that a
    sequence of only padding gives finite numbers.

    Call args:
        inputs: Features (B, T, D).
        mask: Boolean (B, T), or None.

    Returns:
        Features (B, D), without a mask.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import MaskedGlobalMaxPool1D
        >>> features = np.array([[[1.0], [2.0], [9.0]]], "float32")
        >>> pooled = MaskedGlobalMaxPool1D()(features, mask=np.array([[True, True, False]]))
        >>> float(pooled[0, 0])
        2.0
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *input_shape[2:])

    def call(self, inputs, mask=None):
        if mask is not None:
            lowered = inputs - (3e4 if self.compute_dtype == "float16" else 1e6)
            inputs = ops.where(ops.expand_dims(mask, -1), inputs, lowered)
        return ops.max(inputs, axis=1)
