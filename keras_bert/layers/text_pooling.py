"""One vector per text from the features of its tokens."""

from ..arguments import describe
from ..backend import layers, ops, precision_of, serializable


@serializable
class TextPooling(layers.Layer):
    """Features of tokens to vectors of texts, over the ids that are not 0.

    Of a text of n tokens with the features x₁ … xₙ, the poolings are x₁ ("cls"), xₙ ("lasttoken"),
    the largest value of each feature ("max"), Σ xᵢ / n ("mean"), Σ xᵢ / √n ("mean_sqrt_len") and
    Σ i·xᵢ / Σ i ("weightedmean").

    Args:
        poolings: A name or a list of names; the vectors of several are concatenated in the list's
            order.
        **kwargs: Arguments of the base class, such as `dtype`, the type of the vectors. In 16 bits
            they are summed up in float32.

    Call args:
        inputs: A list of features (B, T, D) and token ids (B, T), which are padded at the end.

    Returns:
        Vectors (B, D·number of poolings). Those of a row that is all padding mean nothing.

    Raises:
        ValueError: If a pooling is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import TextPooling
        >>> features = np.array([[[1.0], [3.0], [9.0]]], "float32")
        >>> ids = np.array([[101, 102, 0]], "int32")
        >>> ops.convert_to_numpy(TextPooling(["mean", "max"])([features, ids])).tolist()
        [[2.0, 3.0]]

    Reference:
        Reimers and Gurevych, Sentence-BERT, https://arxiv.org/abs/1908.10084; for "weightedmean"
        Muennighoff, SGPT, https://arxiv.org/abs/2202.08904
    """

    def __init__(self, poolings, **kwargs):
        # Ids must not be cast to a 16-bit float.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.poolings = [poolings] if isinstance(poolings, str) else list(poolings)
        if not self.poolings or not all(each in POOLINGS for each in self.poolings):
            raise ValueError(
                f"`poolings` must be one of {', '.join(POOLINGS)}, or a list of them. "
                f"Received: {describe(poolings)}."
            )

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs):
        features, ids = inputs
        # 16 bits cannot count to 512.
        features = ops.cast(features, precision_of(self.compute_dtype))
        mask = ops.expand_dims(ops.not_equal(ids, 0), -1)
        vectors = [_POOL[each](features, mask) for each in self.poolings]
        return ops.cast(ops.concatenate(vectors, axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        batch, _, units = input_shape[0]
        return (batch, units * len(self.poolings))

    def get_config(self):
        return {**super().get_config(), "poolings": self.poolings}


def _first(features, mask):
    return features[:, 0]


def _last(features, mask):
    positions = _positions(features, mask)
    is_last = ops.equal(positions, ops.max(positions, axis=1, keepdims=True))
    return _sum(features, ops.logical_and(is_last, mask))


def _largest(features, mask):
    return ops.max(ops.where(mask, features, ops.cast(-float("inf"), features.dtype)), axis=1)


def _mean(features, mask):
    return _sum(features, mask) / _count(features, mask)


def _mean_sqrt_len(features, mask):
    return _sum(features, mask) / ops.sqrt(_count(features, mask))


def _weighted_mean(features, mask):
    positions = _positions(features, mask)
    return _sum(features * positions, mask) / _at_least_1(ops.sum(positions, axis=1))


def _sum(features, mask):
    return ops.sum(ops.where(mask, features, ops.cast(0, features.dtype)), axis=1)


def _count(features, mask):
    return _at_least_1(ops.sum(ops.cast(mask, features.dtype), axis=1))


def _at_least_1(count):
    """A count to divide by: of a row that is all padding the vector is 0, not a division by 0."""
    # (`ops.maximum` makes float32 of float64 on PyTorch.)
    return ops.where(count < 1, ops.cast(1, count.dtype), count)


def _positions(features, mask):
    """Numbers of the tokens, from 1, and 0 for padding, (B, T, 1)."""
    mask = ops.cast(mask, features.dtype)
    return ops.cumsum(mask, axis=1) * mask


_POOL = {
    "cls": _first,
    "max": _largest,
    "mean": _mean,
    "mean_sqrt_len": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
POOLINGS = tuple(_POOL)
