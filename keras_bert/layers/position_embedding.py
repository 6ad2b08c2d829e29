"""Position embedding of Keras 3, and the modes that it shares with `TrigPosEmbedding`."""

from ..backend import keras, lookup, ops, regularizers, serializable, static_shape
from .table import TableLayer, check_length


class PositionModes:
    """What layers of position vectors do with them, by `mode`."""

    MODE_EXPAND = "expand"
    MODE_ADD = "add"
    MODE_CONCAT = "concat"

    def _set_mode(self, mode):
        if mode not in (self.MODE_EXPAND, self.MODE_ADD, self.MODE_CONCAT):
            raise ValueError(
                f"`mode` must be 'expand', 'add' or 'concat'. Received: mode={mode!r}."
            )
        self.mode = mode

    def _add_or_append(self, vectors, features):
        """Vectors (1, T, …) added or appended to features (B, T, D)."""
        vectors = ops.cast(vectors, self.compute_dtype)
        if self.mode == self.MODE_ADD:
            return features + vectors
        batch_size, length = ops.shape(features)[:2]
        vectors = ops.broadcast_to(vectors, (batch_size, length, self.output_dim))
        return ops.concatenate([features, vectors], axis=-1)

    def compute_output_shape(self, input_shape):
        if self.mode == self.MODE_EXPAND:
            return (*input_shape, self.output_dim)
        if self.mode == self.MODE_CONCAT:
            return (*input_shape[:-1], input_shape[-1] + self.output_dim)
        return input_shape

    @classmethod
    def from_config(cls, config):
        # Reading .h5 files, Keras takes the string "add" for its function of that name.
        if callable(config.get("mode")):
            config = {**config, "mode": config["mode"].__name__}
        return cls(**config)


@serializable
class PositionEmbedding(PositionModes, TableLayer):
    """A learnt vector for every position.

    Args:
        input_dim: Number of positions P; in mode "expand", the largest absolute position.
        output_dim: Size of the vectors.
        mode: "expand" turns position ids, negative ones included, into vectors; "add" adds the
            vectors of positions 0…T−1 to features; "concat" appends them to features.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        activity_regularizer: Regularizer of the output.
        embeddings_constraint: Constraint of the table.
        mask_zero: Mode "expand" only: the id to mask, or False.

    Call args:
        inputs: Features (B, T, D) to add or append to, or position ids (B, T).

    Returns:
        (B, T, D), (B, T, D + output_dim) or (B, T, output_dim), by mode.

    Raises:
        ValueError: If a sequence is longer than the table, or the mode is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import PositionEmbedding
        >>> features = np.ones((2, 5, 8), "float32")
        >>> tuple(PositionEmbedding(input_dim=16, output_dim=8, mode="add")(features).shape)
        (2, 5, 8)
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        mode=PositionModes.MODE_EXPAND,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        activity_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        **kwargs,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self._set_mode(mode)

    def build(self, input_shape):
        if self.mode != self.MODE_EXPAND:
            check_length(self, input_shape[1])
        self._add_table(2 * self.input_dim + 1 if self.mode == self.MODE_EXPAND else self.input_dim)

    def call(self, inputs):
        if self.mode == self.MODE_EXPAND:
            positions = ops.cast(inputs, "int32")
            positions = ops.clip(positions, -self.input_dim, self.input_dim) + self.input_dim
            return ops.cast(lookup(self.embeddings, positions), self.compute_dtype)
        check_length(self, static_shape(inputs)[1])
        features = ops.cast(inputs, self.compute_dtype)
        length = ops.shape(features)[1]
        # A length that was not known above fails here, even with a table of one row, and TensorFlow
        # then shows the scope.
        with keras.name_scope(f"more_tokens_than_the_{self.input_dim}_positions"):
            vectors = ops.reshape(self.embeddings[:length], (1, length, self.output_dim))
        return self._add_or_append(vectors, features)

    def compute_mask(self, inputs, mask=None):
        if self.mode != self.MODE_EXPAND:
            return mask
        if self.mask_zero is False:
            return None
        return ops.not_equal(inputs, self.mask_zero)

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }
