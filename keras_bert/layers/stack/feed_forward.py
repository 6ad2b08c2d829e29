"""Position-wise feed-forward layer of keras-position-wise-feed-forward."""

from __future__ import annotations

import keras_position_wise_feed_forward

from ... import activations
from ...backend import ops, reshape, unconverted
from ..projection import as_rows


@unconverted
class FeedForward(keras_position_wise_feed_forward.FeedForward):
    """The small package's layer, in which "gelu" is the tanh form, as on Keras 3.

    `needed_len`, which there saves work, is kept for files.
    """

    def __init__(self, units, activation="relu", *args, needed_len=None, **kwargs):
        super().__init__(units, activations.get(activation), *args, **kwargs)
        self.needed_len = needed_len

    def get_config(self):
        needed = {} if self.needed_len is None else {"needed_len": self.needed_len}
        return {**super().get_config(), **needed}

    def call(self, inputs, mask=None, training=None):
        output = super().call(as_rows(inputs), training=training)
        return reshape(output, (-1, *ops.shape(inputs)[1:]))
