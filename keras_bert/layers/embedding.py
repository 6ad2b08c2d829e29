"""Token and segment embeddings, and the output layer that shares the token table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..backend import (
    TABLE_OPTIONS,
    constraints,
    initializers,
    keras,
    layers,
    lookup,
    ops,
    regularizers,
    serializable,
    unconverted,
)
from .initializer import build_embedding
from .stack import Add, PositionEmbedding
from .table import check_ids


@serializable
@unconverted
class Embedding(layers.Embedding):
    """Keras' Embedding with checked ids and the gradient of `lookup`.

    Call args:
        inputs: Token, segment or other ids (B, T), integers or whole floats.

    Returns:
        Embeddings (B, T, D).
    """

    def add_weight(self, *args, **kwargs):
        return super().add_weight(*args, **{**TABLE_OPTIONS, **kwargs})

    def call(self, inputs):
        ids = ops.cast(inputs, "int32")
        check_ids(self.name, ids, self.input_dim)
        return ops.cast(lookup(self.embeddings, ids), self.compute_dtype)


@serializable
@unconverted
class TokenEmbedding(Embedding):
    """Token embedding that also returns its table, for the output layer that shares it.

    Arguments are those of `keras.layers.Embedding`.

    Call args:
        inputs: Token ids (B, T), integers or whole floats; with `mask_zero`, 0 is padding.

    Returns:
        A list of the embeddings (B, T, D) and the table (V, D) itself, not a copy.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import TokenEmbedding
        >>> ids = np.array([[2, 7, 3, 0]], "int32")
        >>> embedded, table = TokenEmbedding(100, 8, mask_zero=True)(ids)
        >>> tuple(embedded.shape), tuple(table.shape)
        ((1, 4, 8), (100, 8))
    """

    def compute_mask(self, inputs, mask=None):
        return [super().compute_mask(inputs, mask), None]

    def compute_output_shape(self, input_shape):
        return [tuple(input_shape) + (self.output_dim,), (self.input_dim, self.output_dim)]

    def compute_output_spec(self, inputs):
        embedded, table = self.compute_output_shape(inputs.shape)
        return [
            keras.KerasTensor(embedded, dtype=self.compute_dtype),
            keras.KerasTensor(table, dtype=self.variable_dtype),
        ]

    def call(self, inputs):
        return [super().call(inputs), ops.convert_to_tensor(self.embeddings)]

    def quantize(self, *args, **kwargs):
        """Leave the table in float, as `EmbeddingSimilarity` reads it too."""
        raise NotImplementedError(
            f"Layer '{self.name}' keeps its table in float, because MLM-Sim shares it."
        )


def get_embedding(
    inputs: Sequence[Any],
    token_num: int,
    pos_num: int,
    embed_dim: int,
    dropout_rate: float = 0.1,
    trainable: bool = True,
    *,
    segment_num: int = 2,
    token_initializer: Callable | None = None,
) -> tuple[Any, Any]:
    """The sum of token, segment and position embeddings.

    Args:
        inputs: A list that starts with token ids and segment ids, (B, T) each.
        token_num: Size V of the vocabulary.
        pos_num: Number of positions.
        embed_dim: Size D of the embeddings.
        dropout_rate: Not used here; kept for callers that pass arguments by position.
        trainable: Whether the layers are trainable.
        segment_num: Number of segments; 0 where segment ids add nothing.
        token_initializer: Function of shape and dtype that gives the first values (V, D) of the
            token embedding; it is not saved with the layer. None for Keras' random ones.

    Returns:
        The summed embeddings (B, T, D) and the token table (V, D).

    Example:
        >>> from keras_bert.layers import get_embedding, get_inputs
        >>> embedded, table = get_embedding(get_inputs(seq_len=16), 100, 16, 8)
        >>> tuple(embedded.shape), tuple(table.shape)
        ((None, 16, 8), (100, 8))
    """
    token_embedding = TokenEmbedding(
        token_num, embed_dim, mask_zero=True, trainable=trainable, name="Embedding-Token"
    )
    position_embedding = PositionEmbedding(
        pos_num, embed_dim, mode="add", trainable=trainable, name="Embedding-Position"
    )
    build_embedding(token_embedding, tuple(inputs[0].shape), token_initializer)
    if segment_num:
        segment_embedding = Embedding(
            segment_num, embed_dim, trainable=trainable, name="Embedding-Segment"
        )
        build_embedding(segment_embedding, tuple(inputs[1].shape))
    build_embedding(position_embedding, (*inputs[0].shape, embed_dim))
    summed, table = token_embedding(inputs[0])
    if segment_num:
        summed = Add(name="Embedding-Token-Segment")([summed, segment_embedding(inputs[1])])
    return position_embedding(summed), table


@serializable
class EmbeddingSimilarity(layers.Layer):
    """Probability of every token: `softmax(x·tableᵀ + bias)`.

    Args:
        initializer: Initializer of the bias.
        regularizer: Regularizer of the bias.
        constraint: Constraint of the bias.
        return_logits: Whether to leave out the softmax.

    Call args:
        inputs: A list of features (B, T, D) and the token table (V, D).

    Returns:
        Probabilities or logits (B, T, V); float32 under a 16-bit policy, whose range is too small
        for them.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import EmbeddingSimilarity
        >>> features, table = np.zeros((1, 3, 8), "float32"), np.ones((4, 8), "float32")
        >>> ops.convert_to_numpy(EmbeddingSimilarity()([features, table]))[0, 0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """

    def __init__(
        self,
        initializer="zeros",
        regularizer=None,
        constraint=None,
        *,
        return_logits=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.return_logits = return_logits
        self.supports_masking = True
        self.initializer = initializers.get(initializer)
        self.regularizer = regularizers.get(regularizer)
        self.constraint = constraints.get(constraint)
        self.bias = None

    def build(self, input_shape):
        self.bias = self.add_weight(
            shape=(int(input_shape[1][0]),),
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
            name="bias",
        )
        super().build(input_shape)

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape):
        features, table = input_shape
        return tuple(features[:-1]) + (table[0],)

    def compute_output_spec(self, inputs):
        shape = self.compute_output_shape([each.shape for each in inputs])
        return keras.KerasTensor(shape, dtype=self._output_dtype())

    def _output_dtype(self):
        return "float32" if self.compute_dtype in ("float16", "bfloat16") else self.compute_dtype

    def call(self, inputs):
        features, table = inputs
        logits = ops.cast(ops.einsum("btd,vd->btv", features, table), self._output_dtype())
        if self.bias is not None:
            logits = logits + ops.cast(self.bias, logits.dtype)
        return logits if self.return_logits else ops.softmax(logits)

    def get_config(self):
        return {
            **super().get_config(),
            "initializer": initializers.serialize(self.initializer),
            "regularizer": regularizers.serialize(self.regularizer),
            "constraint": constraints.serialize(self.constraint),
            "return_logits": self.return_logits,
        }
