"""Picking the positions that are to be predicted."""

import numpy as np

from ..arguments import as_size
from ..backend import MaskArgument, keras, layers, ops, serializable
from .known_values import known_values
from .masked import marked_positions


@serializable
class ExtractMasked(MaskArgument, layers.Layer):
    """The features at the marked positions of each row, from left to right, in a number of slots.

    Marked are the positions that `Masked` lets through. What follows, such as a layer over the
    whole vocabulary, is computed for them alone. A row with more marks than slots is an error where
    values are known; inside compiled functions its features become NaN, and with them the loss.

    Args:
        max_predictions: Number K of slots.

    Call args:
        inputs: A list of features (B, T, D) and mask ids (B, T).
        mask: A list of the features' mask (B, T) and another that is not used, or None.

    Returns:
        A list of the features (B, K, D), zeros in slots not in use, and mask ids of the slots in
        use (B, K). Neither has a mask.

    Raises:
        ValueError: If `max_predictions` is below 1, or a row has more marks, where that is known.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import ExtractMasked
        >>> features = np.array([[[1.0], [2.0], [3.0]]], "float32")
        >>> picked, used = ExtractMasked(max_predictions=2)([features, np.array([[0, 0, 1]])])
        >>> ops.convert_to_numpy(picked).tolist(), ops.convert_to_numpy(used).tolist()
        ([[[3.0], [0.0]]], [[1, 0]])
    """

    def __init__(self, max_predictions, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.max_predictions = as_size("max_predictions", max_predictions)

    def compute_mask(self, inputs, mask=None):
        return [None, None]

    def compute_output_shape(self, input_shape):
        batch, _, width = tuple(input_shape[0])
        return [(batch, self.max_predictions, width), (batch, self.max_predictions)]

    def compute_output_spec(self, inputs, mask=None):
        features, slots = self.compute_output_shape([each.shape for each in inputs])
        return [
            keras.KerasTensor(features, dtype=self.compute_dtype),
            keras.KerasTensor(slots, dtype="int32"),
        ]

    def call(self, inputs, mask=None):
        features, mask_ids = inputs
        marked = marked_positions(mask_ids, mask)
        counts = ops.cumsum(ops.cast(marked, "int32"), axis=1)
        totals = counts[:, -1:]
        self._check(totals)
        numbers = ops.arange(1, self.max_predictions + 1, dtype="int32")
        chosen = ops.equal(ops.expand_dims(counts, 1), ops.expand_dims(numbers, -1))
        chosen = ops.logical_and(chosen, ops.expand_dims(marked, 1))
        # A product with zeros and ones is exact, and runs and differentiates well everywhere.
        picked = ops.einsum("bkt,btd->bkd", ops.cast(chosen, features.dtype), features)
        excess = ops.expand_dims(totals > self.max_predictions, -1)
        picked = ops.where(excess, ops.cast(np.nan, picked.dtype), picked)
        return [picked, ops.cast(numbers <= totals, "int32")]

    def _check(self, totals):
        values = known_values(totals)
        most = 0 if values is None else int(values.max(initial=0))
        if most > self.max_predictions:
            raise ValueError(
                f"Layer '{self.name}' has {self.max_predictions} slots for predictions in a row, "
                f"`max_predictions`. Received: a row with {most} marks. Mark fewer positions, as "
                "`gen_batch_inputs` does with the same `max_predictions`, or build the model with "
                "more."
            )

    def get_config(self):
        return {**super().get_config(), "max_predictions": self.max_predictions}
