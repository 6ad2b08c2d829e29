"""Addition that keeps the mask."""

from ..backend import LayerCall, layers, serializable
from .keras_2_merging import merged_mask


@serializable
class Add(LayerCall, layers.Add):
    """Keras' Add with the mask rule of Keras 2.

    A step is masked where any input masks it; inputs without a mask have no say. Keras 3 itself
    drops the mask as soon as one input has none.

    Call args:
        inputs: A list of tensors of one shape.

    Returns:
        Their sum.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import Add
        >>> features = np.ones((1, 2), "float32")
        >>> ops.convert_to_numpy(Add()([features, features])).tolist()
        [[2.0, 2.0]]
    """

    def compute_mask(self, inputs, mask=None):
        return merged_mask(mask)
