"""Task embedding."""

from __future__ import annotations

from ..backend import (
    TABLE_OPTIONS,
    constraints,
    initializers,
    layers,
    lookup,
    ops,
    regularizers,
    serializable,
)
from .ids import check_ids

__all__ = ["TaskEmbedding"]


@serializable
class TaskEmbedding(layers.Layer):
    """Add a learnt vector for the task to features.

    Args:
        input_dim: Number of tasks; one more with `mask_zero`.
        output_dim: Size D of the vectors.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint of the table.
        mask_zero: Whether task 0 means "none" and adds nothing.

    Call args:
        inputs: A list of features (B, T, D) and task ids, (B, 1) or (B, T).

    Returns:
        Features (B, T, D) with the features' mask.

    Raises:
        ValueError: If the task ids are not of rank 2.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import TaskEmbedding
        >>> features, tasks = np.ones((2, 5, 8), "float32"), np.array([[0], [3]])
        >>> tuple(TaskEmbedding(input_dim=4, output_dim=8)([features, tasks]).shape)
        (2, 5, 8)
    """

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
        # Task ids must not be cast to a 16-bit float; features are cast in call.
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

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
            **TABLE_OPTIONS,
        )
        super().build(input_shape)

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def call(self, inputs):
        features, tasks = inputs
        tasks = ops.cast(tasks, "int32")
        if len(tasks.shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' takes task ids of shape (batch, 1) or (batch, length). "
                f"Received: task ids of shape {tuple(tasks.shape)}."
            )
        check_ids(self.name, tasks, self.input_dim)
        vectors = ops.cast(lookup(self.embeddings, tasks), self.compute_dtype)
        if self.mask_zero:
            vectors = vectors * ops.expand_dims(ops.cast(tasks != 0, vectors.dtype), -1)
        return ops.cast(features, self.compute_dtype) + vectors

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
