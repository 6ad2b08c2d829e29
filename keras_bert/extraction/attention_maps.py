"""Attention probabilities of every layer, for pictures and analyses."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ..backend import calls, first_input, layers, models, ops
from ..backend.kept import made_once
from ..layers import MultiHeadAttention

_map_models: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def get_attention_maps(model: Any, inputs: Any, *, batch_size: int = 32) -> list[np.ndarray]:
    """How much every position attends to every other, recomputed from the layers' inputs.

    Args:
        model: A model of `get_model` or of the loaders. (Of a model that contains one as a layer,
            pass the inner model.)
        inputs: What `model.predict` takes: arrays of token ids and segment ids, (B, T) each, and so
            on; or a dict of them by input name.
        batch_size: Number of sequences to run at a time.

    Returns:
        A list with an array (B, H, T, T), float32, for every encoder layer, first layer first.
        Rows, the next to last axis, are the positions that attend and sum to 1. Of a model with
        `output_len`, the last array has only that many of them, and in the others those of padding
        that the model does not compute mean nothing.

    Raises:
        ValueError: If the model has no attention layers of this package.

    Example:
        >>> import numpy as np
        >>> from keras_bert import get_attention_maps, get_model
        >>> model = get_model(
        ...     100, seq_len=5, embed_dim=8, transformer_num=2, head_num=4, feed_forward_dim=16
        ... )
        >>> tokens = np.array([[2, 7, 8, 3, 0]])
        >>> maps = get_attention_maps(model, [tokens, tokens * 0, tokens * 0])
        >>> len(maps), maps[0].shape
        (2, (1, 4, 5, 5))
    """
    if not calls(model, MultiHeadAttention):
        raise ValueError(
            "`model` has no MultiHeadAttention layer of its own. If it contains a BERT model as a "
            "layer, pass that one: get_attention_maps(model.get_layer(name), inputs). "
            f"Received: model '{model.name}' with layers {[layer.name for layer in model.layers]}."
        )
    # Every model that is made of the layers stays with them.
    map_model = made_once(_map_models, model, model, _make_map_model)
    maps = map_model.predict(inputs, batch_size=batch_size, verbose=0)
    return [maps] if len(map_model.outputs) == 1 else maps


def _make_map_model(model: models.Model) -> models.Model:
    """A model from the same inputs to the map of every attention layer."""
    is_token = ops.not_equal(first_input(model.get_layer("Embedding-Token")), 0)
    maps = []
    for number, (layer, features) in enumerate(calls(model, MultiHeadAttention), start=1):
        # With `output_len`, the last layer has queries of their own.
        parts = features if isinstance(features, (list, tuple)) else [features]
        maps.append(_AttentionMap(layer, name=f"Map-{number}")([*parts, is_token]))
    return models.Model(model.inputs, maps)


class _AttentionMap(layers.Layer):
    """The probabilities, in float32, of an attention layer for its arguments."""

    def __init__(self, attention, name):
        super().__init__(dtype="float32", name=name)
        self.attention = attention
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs):
        *parts, mask = inputs
        return self.attention.attention_map(parts if len(parts) > 1 else parts[0], mask)
