"""Restricting a mask to the positions that are to be predicted."""

from ..backend import keras, layers, ops, serializable


def marked_positions(mask_ids, mask=None):
    """Where mask ids (B, T) are not 0 and the first of a list of masks, if any, is true."""
    marked = ops.not_equal(mask_ids, 0)
    if mask is not None and mask[0] is not None:
        marked = ops.logical_and(marked, mask[0])
    return marked


@serializable
class Masked(layers.Layer):
    """Pass features on under a mask of the positions to predict.

    The output's mask is true where the mask ids are not 0 and the features' own mask, if any, is
    true. Losses count only those positions.

    Args:
        return_masked: Whether to return that mask, as floats, too.

    Call args:
        inputs: A list of features (B, T, D) and mask ids (B, T).

    Returns:
        The features (B, T, D), or with `return_masked` a list of them and the mask (B, T).

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import Masked
        >>> features, marks = np.ones((1, 3, 2), "float32"), np.array([[0, 1, 0]])
        >>> _, mask = Masked(return_masked=True)([features, marks])
        >>> ops.convert_to_numpy(mask).tolist()
        [[0.0, 1.0, 0.0]]
    """

    def __init__(self, return_masked=False, **kwargs):
        # Neither ids nor probabilities are to be cast to a 16-bit float on their way through.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.return_masked = return_masked

    def compute_mask(self, inputs, mask=None):
        masked = marked_positions(inputs[1], mask)
        return [masked, None] if self.return_masked else masked

    def compute_output_shape(self, input_shape):
        features, mask_ids = map(tuple, input_shape)
        return [features, mask_ids] if self.return_masked else features

    def compute_output_spec(self, inputs, mask=None):
        features, mask_ids = (
            keras.KerasTensor(each.shape, dtype=inputs[0].dtype) for each in inputs
        )
        return [features, mask_ids] if self.return_masked else features

    def call(self, inputs, mask=None):
        # The mask belongs to a tensor object: the output must be another one than the input, which
        # these two reshapes give without copying the features.
        features = ops.squeeze(ops.expand_dims(inputs[0], 0), 0)
        if not self.return_masked:
            return features
        return [features, ops.cast(self.compute_mask(inputs, mask)[0], features.dtype)]

    def get_config(self):
        return {**super().get_config(), "return_masked": self.return_masked}
