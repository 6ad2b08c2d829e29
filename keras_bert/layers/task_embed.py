"""Task embedding."""

from ..arguments import as_integer
from ..backend import lookup, ops, serializable
from .table import TableLayer, check_ids


@serializable
class TaskEmbedding(TableLayer):
    """Add a learnt vector for the task to features.

    Args:
        input_dim: Number of tasks; one more with `mask_zero`.
        output_dim: Size D of the vectors.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint of the table.
        mask_zero: Whether task 0 means "none" and adds nothing.
        fixed_task: The task of all inputs, which are the features alone then; None where task ids
            come with them.

    Call args:
        inputs: A list of features (B, T, D) and task ids, (B, 1) or (B, T); with `fixed_task` the
            features.

    Returns:
        Features (B, T, D) with the features' mask.

    Raises:
        ValueError: If the task ids are not of rank 2, or ids or `fixed_task` are no tasks.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import TaskEmbedding
        >>> features, tasks = np.ones((2, 5, 8), "float32"), np.array([[0], [3]])
        >>> tuple(TaskEmbedding(input_dim=4, output_dim=8)([features, tasks]).shape)
        (2, 5, 8)
    """

    def __init__(self, *args, fixed_task=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fixed_task = fixed_task
        tasks = range(self.input_dim)
        if fixed_task is not None and as_integer("fixed_task", fixed_task) not in tasks:
            raise ValueError(
                f"`fixed_task` must be from 0 to {self.input_dim - 1}. Received: {fixed_task}."
            )

    def build(self, input_shape):
        self._add_table(self.input_dim)

    def compute_mask(self, inputs, mask=None):
        return mask if mask is None or self.fixed_task is not None else mask[0]

    def compute_output_shape(self, input_shape):
        return tuple(input_shape if self.fixed_task is not None else input_shape[0])

    def call(self, inputs):
        if self.fixed_task is not None:
            vector = ops.cast(self.embeddings[self.fixed_task], self.compute_dtype)
            return ops.cast(inputs, self.compute_dtype) + vector
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
        config = super().get_config()
        # Only where it is given, so that files of others can be read by older versions.
        return config if self.fixed_task is None else {**config, "fixed_task": self.fixed_task}
