"""Position embedding of keras-pos-embd."""

from __future__ import annotations

import keras_pos_embd
import tensorflow as tf

from ...backend import unconverted
from ..lengths import check_length, too_long


@unconverted
class PositionEmbedding(keras_pos_embd.PositionEmbedding):
    """The small package's layer, which refuses sequences of wrong lengths, as on Keras 3."""

    def call(self, inputs, **kwargs):
        if self.mode != self.MODE_EXPAND:
            check_length(self, inputs.shape[1])
            # Where the length is not known yet, a table of one row would serve all positions.
            within = tf.debugging.assert_less_equal(
                tf.shape(inputs)[1], self.input_dim, too_long(self, "above that")
            )
            with tf.control_dependencies([within] if within is not None else []):
                inputs = tf.identity(inputs)
        return super().call(inputs, **kwargs)
