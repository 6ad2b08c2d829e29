"""Multi-head attention of keras-multi-head."""

from __future__ import annotations

import keras_multi_head

from ... import activations
from ...backend import backend, unconverted
from ..needed_len import NeededLen
from ..scaled_attention import ScaledAttention


@unconverted
class MultiHeadAttention(NeededLen, ScaledAttention, keras_multi_head.MultiHeadAttention):
    """The small package's layer, in which "gelu" is the tanh form, as on Keras 3.

    It is computed as there, in fewer and larger operations than the package's.
    """

    def __init__(self, head_num, activation="relu", *args, **kwargs):
        super().__init__(head_num, activations.get(activation), *args, **kwargs)

    def _project(self, name, rows):
        kernel, bias = {
            "query": (self.Wq, self.bq),
            "key": (self.Wk, self.bk),
            "value": (self.Wv, self.bv),
            "output": (self.Wo, self.bo),
        }[name]
        projected = backend.dot(rows, kernel)
        if bias is not None:
            projected = backend.bias_add(projected, bias)
        return self.activation(projected)
