"""One vector per text from the features of its tokens."""

from ..arguments import describe
from ..backend import layers, ops, serializable

POOL_NSP = "POOL_NSP"
POOL_MAX = "POOL_MAX"
POOL_AVE = "POOL_AVE"


@serializable
class TextPooling(layers.Layer):
    """Features of tokens to vectors of texts, over the ids that are not 0.

    Args:
        poolings: A list of `POOL_NSP` (the first token), `POOL_MAX` and `POOL_AVE`.
        **kwargs: Arguments of the base class, such as `dtype`, in which vectors are computed.

    Call args:
        inputs: A list of features (B, T, D) and token ids (B, T).

    Returns:
        Vectors (B, D·number of poolings).
    """

    def __init__(self, poolings, **kwargs):
        # Ids must not be cast to a 16-bit float.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.poolings = poolings

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs):
        features, ids = inputs
        features = ops.cast(features, self.compute_dtype)
        mask = ops.expand_dims(ops.not_equal(ids, 0), -1)
        vectors = [_POOL[each](features, mask) for each in self.poolings]
        return ops.concatenate(vectors, axis=-1)

    def compute_output_shape(self, input_shape):
        batch, _, units = input_shape[0]
        return (batch, units * len(self.poolings))

    def get_config(self):
        return {**super().get_config(), "poolings": self.poolings}


def _first(features, mask):
    return features[:, 0]


def _largest(features, mask):
    return ops.max(ops.where(mask, features, ops.cast(-float("inf"), features.dtype)), axis=1)


def _mean(features, mask):
    kept = ops.where(mask, features, ops.cast(0, features.dtype))
    return ops.sum(kept, axis=1) / ops.sum(ops.cast(mask, features.dtype), axis=1)


_POOL = {POOL_NSP: _first, POOL_MAX: _largest, POOL_AVE: _mean}


def check_poolings(poolings) -> list[str] | None:
    """Return one pooling or several as a list, None as None; refuse unknown ones and no pooling."""
    if poolings is None:
        return None
    listed = list(poolings) if isinstance(poolings, (list, tuple)) else [poolings]
    if not listed or not all(isinstance(each, str) and each in _POOL for each in listed):
        raise ValueError(
            f"`poolings` must be one of {', '.join(_POOL)}, or a list of them. "
            f"Unknown pooling method: {describe(poolings)}."
        )
    return listed
