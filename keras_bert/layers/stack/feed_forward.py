"""Position-wise feed-forward layer of keras-position-wise-feed-forward."""

from __future__ import annotations

import keras_position_wise_feed_forward

from ... import activations
from ...backend import ops, reshape, unconverted
from ..needed_len import NeededLen
from ..projection import as_rows


@unconverted
class FeedForward(NeededLen, keras_position_wise_feed_forward.FeedForward):
    """The small package's layer, in which "gelu" is the tanh form, as on Keras 3."""

    def __init__(self, units, activation="relu", *args, **kwargs):
        super().__init__(units, activations.get(activation), *args, **kwargs)

    def call(self, inputs, mask=None, training=None):
        output = super().call(as_rows(inputs), training=training)
        return reshape(output, (-1, *ops.shape(inputs)[1:]))
