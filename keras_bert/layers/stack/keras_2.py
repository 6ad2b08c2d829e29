"""The layers of the small packages, which Keras 2 has under the names of those beside this folder.

In all of them "gelu" is the tanh form, and lengths are checked, as on Keras 3.
"""

import keras_layer_normalization
import keras_multi_head
import keras_pos_embd
import keras_position_wise_feed_forward
import tensorflow as tf

from ... import activations
from ...backend import (
    backend,
    initializers,
    ops,
    reshape,
    serializable,
    static_shape,
    unconverted,
)
from ..initializer import GlorotNormal
from ..normalization import NormalizationCall
from ..projection import NeededLen, as_rows
from ..scaled_attention import ScaledAttention
from ..table import check_length, too_long


class NamedGelu:
    """Mixin for layers of an `activation`, which files name as keras-bert 0.89 did.

    Its "gelu" is the tanh form, here and, for lack of another, in all layers of its files. By
    `written_by`, which Keras does not read, they are told from files of this package, where "gelu"
    in other layers is Keras' own.
    """

    def get_config(self):
        config = super().get_config()
        if self.activation is activations.gelu_tanh:
            config["activation"] = "gelu"
            config["kernel_initializer"]["written_by"] = "keras_bert 1"
        return config


@serializable
@unconverted
class MultiHeadAttention(
    NamedGelu, NeededLen, ScaledAttention, keras_multi_head.MultiHeadAttention
):
    """The small package's layer, in fewer and larger operations than its own."""

    def __init__(self, head_num, activation="relu", *args, **kwargs):
        super().__init__(head_num, activations.get(activation), *args, **kwargs)
        self.kernel_initializer = _drawing_anew(self.kernel_initializer)
        del self.attention, self.intensity  # which the small package's `call` would set

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


@serializable
@unconverted
class FeedForward(NamedGelu, NeededLen, keras_position_wise_feed_forward.FeedForward):
    """The small package's layer, applied to a matrix."""

    def __init__(self, units, activation="relu", *args, **kwargs):
        super().__init__(units, activations.get(activation), *args, **kwargs)
        self.kernel_initializer = _drawing_anew(self.kernel_initializer)

    def call(self, inputs, mask=None, training=None):
        output = super().call(as_rows(inputs), training=training)
        return reshape(output, (-1, *ops.shape(inputs)[1:]))


@serializable
@unconverted
class LayerNormalization(NormalizationCall, keras_layer_normalization.LayerNormalization):
    """The small package's layer, computed by fewer operations where TensorFlow has one."""


@serializable
@unconverted
class PositionEmbedding(keras_pos_embd.PositionEmbedding):
    """The small package's layer, which refuses sequences of wrong lengths."""

    def call(self, inputs, **kwargs):
        if self.mode != self.MODE_EXPAND:
            check_length(self, static_shape(inputs)[1])
            # Where the length is not known yet, a table of one row would serve all positions.
            within = tf.debugging.assert_less_equal(
                tf.shape(inputs)[1], self.input_dim, too_long(self, "above that")
            )
            with tf.control_dependencies([within] if within is not None else []):
                inputs = tf.identity(inputs)
        return super().call(inputs, **kwargs)


def _drawing_anew(initializer):
    """Put another in the place of an initializer that would fill all kernels with one's values."""
    is_unseeded = type(initializer) is initializers.GlorotNormal and initializer.seed is None
    return GlorotNormal() if is_unseeded else initializer
