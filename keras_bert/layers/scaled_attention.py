"""Scaled dot-product attention, shared by the layers of both stacks.

B texts, T places that attend to S places, H heads, D features of all heads together.
"""

from __future__ import annotations

from ..backend import ENGINE, on_accelerator, ops
from .needed_places import needed_places, pick_rows, spread_rows
from .projection import as_rows, reshape

# Scores of a text's head. With more of them XLA is a fifth faster on a CPU head by head, and a
# twelfth in training; at 256 x 256 it makes no difference.
LONG = 1 << 17


class ScaledAttention:
    """What a layer with `head_num`, `history_only`, `needed_len` and `_project` computes.

    `_project(name, rows)` are the dense parts "query", "key", "value" and "output" of rows
    (B·T, D), with bias and activation.
    """

    def call(self, inputs, mask=None):
        query, key, value = query_key_value(inputs)
        # With `history_only`, a place may have nothing but masked keys before it.
        needed_len = None if self.history_only else self.needed_len
        key_places = needed_places(key, query_key_value(mask)[1], needed_len)
        query_places = key_places if query is key else None
        rows = pick_rows(as_rows(key), key_places)
        attended = _attend(
            self._heads("query", query, query_places, rows if query is key else None),
            self._heads("key", key, key_places, rows),
            self._heads("value", value, key_places, rows if value is key else None),
            bias=self._bias(query, key, mask),
        )
        units = attended.shape[-2] * attended.shape[-1]
        attended = pick_rows(reshape(attended, (-1, units)), query_places)
        projected = self._project("output", attended)
        projected = spread_rows(projected, query_places, query)
        return reshape(projected, (-1, ops.shape(query)[1], units))

    def attention_map(self, inputs, mask=None):
        """Attention probabilities (B, H, T, S), float32, for the arguments of `call`."""
        query, key, _ = query_key_value(inputs)
        queries, keys = self._heads("query", query), self._heads("key", key)
        return ops.cast(_probabilities(queries, keys, self._bias(query, key, mask)), "float32")

    def _heads(self, name, features, places=None, rows=None):
        """Projected features (B, T, H, D/H), of the rows at some places, or of all."""
        rows = pick_rows(as_rows(features), places) if rows is None else rows
        projected = spread_rows(self._project(name, rows), places, features)
        size = projected.shape[-1] // self.head_num
        return reshape(projected, (-1, ops.shape(features)[1], self.head_num, size))

    def _bias(self, query, key, mask):
        """Additive bias of the scores, broadcasting to (B, H, T, S), or None."""
        _, mask, _ = query_key_value(mask)
        bias = None
        if mask is not None:
            if len(mask.shape) != 2:
                raise ValueError(
                    f"Layer '{self.name}' takes a mask of rank 2, (batch, length). "
                    f"Received: mask of shape {tuple(mask.shape)}."
                )
            bias = -10000.0 * (1.0 - ops.cast(mask, self.compute_dtype))[:, None, None, :]
        if self.history_only:
            places, key_places = (ops.arange(ops.shape(each)[1]) for each in (query, key))
            later = ops.cast(key_places[None, :] > places[:, None], self.compute_dtype)
            later = -10000.0 * later[None, None]
            bias = later if bias is None else bias + later
        return bias


def query_key_value(value, single=None):
    """Split an argument that is a list of three, or one thing that stands for all three."""
    if single is None:
        single = not isinstance(value, (list, tuple))
    query, key, value = (value, value, value) if single else value
    return query, key, value


def _attend(query, key, value, bias):
    """Attention for features (B, T or S, H, D/H), by one operation of the runtime if it has one.

    Elsewhere products run faster, and on JAX's CPU in float16 at all, with heads before places.
    """
    if ENGINE == "torch":
        return _attend_torch(query, key, value, bias)
    if ENGINE == "jax" and on_accelerator():
        return ops.dot_product_attention(query, key, value, bias)
    length, key_length = query.shape[1], key.shape[1]
    is_known = isinstance(length, int) and isinstance(key_length, int)  # not so in exporting
    if ENGINE == "jax" and is_known and length * key_length > LONG:
        return _attend_head_by_head(query, key, value, bias)
    return _attend_at_once(query, key, value, bias)


def _attend_at_once(query, key, value, bias):
    probabilities = ops.cast(_probabilities(query, key, bias), value.dtype)
    attended = ops.matmul(probabilities, ops.transpose(value, (0, 2, 1, 3)))
    return ops.transpose(attended, (0, 2, 1, 3))


def _attend_head_by_head(query, key, value, bias):
    """The same numbers with the scores of one head at a time in memory, or in a cache."""

    def attend(head):  # three of (B, T or S, D/H)
        return _attend_at_once(*(each[:, :, None] for each in head), bias)[:, :, 0]

    heads = tuple(ops.transpose(each, (2, 0, 1, 3)) for each in (query, key, value))
    return ops.transpose(ops.map(attend, heads), (1, 2, 0, 3))


def _attend_torch(query, key, value, bias):
    """What Keras does there, without its checks and copies."""
    from torch.nn.functional import scaled_dot_product_attention

    query, key, value = (features.transpose(1, 2) for features in (query, key, value))
    attended = scaled_dot_product_attention(query, key, value, attn_mask=bias)
    return attended.transpose(1, 2)


def _probabilities(query, key, bias):
    """Attention probabilities (B, H, T, S) in at least float32, from features (B, …, H, D/H)."""
    query, key = ops.transpose(query, (0, 2, 1, 3)), ops.transpose(key, (0, 2, 3, 1))
    scores = ops.matmul(query, key)
    precision = "float64" if scores.dtype == "float64" else "float32"
    scores = ops.cast(scores, precision) * query.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + ops.cast(bias, precision)
    if scores.shape[3] == 1:
        return scores * 0.0 + 1.0  # of texts of 1 token Keras' softmax warns
    return ops.softmax(scores, axis=3)
