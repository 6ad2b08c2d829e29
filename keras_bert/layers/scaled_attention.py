"""Scaled dot-product attention, shared by the layers of Keras 3 and of Keras 2.

B texts, T positions that attend to S positions, H heads, D features of all heads together.
"""

from ..backend import (
    attend,
    attention_probabilities,
    needed_positions,
    ops,
    pick_rows,
    reshape,
    spread_rows,
    static_shape,
)
from .projection import as_rows


class ScaledAttention:
    """Mixin that computes attention for a layer with `head_num`, `history_only` and `needed_len`.

    The layer's `_project(name, rows)` applies the dense part "query", "key", "value" or "output",
    with bias and activation, to rows (B·T, D).
    """

    def __getattr__(self, name):
        if name in ("attention", "intensity"):
            raise AttributeError(
                f"Layer '{self.name}' keeps no {name}. Attention probabilities of all layers are "
                "what keras_bert.get_attention_maps(model, inputs) returns.",
                name=name,
                obj=None,  # else Python adds that `attention_map` may be meant
            )
        return getattr(super(), "__getattr__", super().__getattribute__)(name)

    def call(self, inputs, mask=None):
        query, key, value = query_key_value(inputs)
        # With `history_only`, a position may have masked keys alone before it: then these count.
        needed_len = None if self.history_only else self.needed_len
        key_positions = needed_positions(key, query_key_value(mask)[1], needed_len)
        query_positions = key_positions if query is key else None
        rows = pick_rows(as_rows(key), key_positions)
        attended = attend(
            self._heads("query", query, query_positions, rows if query is key else None),
            self._heads("key", key, key_positions, rows),
            self._heads("value", value, key_positions, rows if value is key else None),
            bias=self._bias(query, key, mask),
        )
        _, _, heads, size = static_shape(attended)
        units = heads * size
        attended = pick_rows(reshape(attended, (-1, units)), query_positions)
        projected = self._project("output", attended)
        projected = spread_rows(projected, query_positions, query)
        return reshape(projected, (-1, ops.shape(query)[1], units))

    def attention_map(self, inputs, mask=None):
        """Attention probabilities (B, H, T, S), float32, for the arguments of `call`."""
        query, key, _ = query_key_value(inputs)
        queries, keys = self._heads("query", query), self._heads("key", key)
        probabilities = attention_probabilities(queries, keys, self._bias(query, key, mask))
        return ops.cast(probabilities, "float32")

    def _heads(self, name, features, positions=None, rows=None):
        """Projected features (B, T, H, D/H), of the rows at some positions, or of all."""
        rows = pick_rows(as_rows(features), positions) if rows is None else rows
        projected = spread_rows(self._project(name, rows), positions, features)
        size = static_shape(projected)[-1] // self.head_num
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
            bias = -10000.0 * (1.0 - ops.cast(mask, self.compute_dtype))
            bias = ops.expand_dims(ops.expand_dims(bias, 1), 1)  # LiteRT has no [:, None, None]
        if self.history_only:
            positions, key_positions = (ops.arange(ops.shape(each)[1]) for each in (query, key))
            later = ops.cast(key_positions[None, :] > positions[:, None], self.compute_dtype)
            later = -10000.0 * later[None, None]
            bias = later if bias is None else bias + later
        return bias


def query_key_value(value, single=None):
    """Return query, key and value of a list of three, or of one that stands for all three."""
    if single is None:
        single = not isinstance(value, (list, tuple))
    query, key, value = (value, value, value) if single else value
    return query, key, value
