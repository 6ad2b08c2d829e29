"""What layers with an embedding table share: their options, and checks of what they are given."""

from ..backend import TABLE_OPTIONS, constraints, initializers, layers, regularizers
from .known_values import known_values


class TableLayer(layers.Layer):
    """A layer with a table of vectors, which casts features itself: ids must stay integers."""

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        **kwargs,
    ):
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.embeddings = None

    def _add_table(self, rows: int) -> None:
        self.embeddings = self.add_weight(
            shape=(rows, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
            **TABLE_OPTIONS,
        )
        self.built = True

    def get_config(self):
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }


def check_ids(layer_name: str, ids, limit: int) -> None:
    """Refuse ids outside a table of `limit` rows where their values are known.

    Elsewhere, `lookup` fails without naming the layer, or gives NaN.
    """
    values = known_values(ids)
    if values is None or values.size == 0:
        return
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= limit:
        raise ValueError(
            f"Layer '{layer_name}' has {limit} rows, so its ids must lie in [0, {limit - 1}]. "
            f"Received ids from {low} to {high}. Encode the texts with the vocabulary that belongs "
            "to this model."
        )


def check_length(layer, length):
    """Refuse a sequence that has no positions, or more than the layer.

    None is not known yet, nor is a symbol, which JAX has for any length when it exports.
    """
    if not isinstance(length, int):
        return
    if length == 0:
        raise ValueError(
            f"Layer '{layer.name}' needs sequences of at least one position. Received: a sequence "
            "of length 0."
        )
    if length > layer.input_dim:
        raise ValueError(too_long(layer, length))


def too_long(layer, length) -> str:
    """Say that a sequence is longer than a layer has positions."""
    return (
        f"Layer '{layer.name}' holds {layer.input_dim} positions. Received: a sequence of length "
        f"{length}. Truncate it, for example by encode_batch(texts, max_len={layer.input_dim}), or "
        "build the model with more positions."
    )
