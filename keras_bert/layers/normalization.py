"""Layer normalization: the small package's under Keras 2, Keras' own on Keras 3.

Both take the same arguments and hold the weights gamma, beta in this order.
"""

from __future__ import annotations

from ..backend import ENGINE, TF_KERAS, layers, on_accelerator, ops, serializable, unconverted
from .direct_call import DirectCall
from .torch_calls import cast, weight_for

if TF_KERAS:
    from keras_layer_normalization import LayerNormalization as _LayerNormalization
else:
    _LayerNormalization = layers.LayerNormalization


@serializable
@unconverted
class LayerNormalization(DirectCall, _LayerNormalization):
    """Normalization of every token's features to mean 0 and variance 1, then scaled and shifted.

    Arguments and numbers are those of `keras.layers.LayerNormalization`; under Keras 2, where the
    last axis is normalized always, those of keras-layer-normalization.

    Call args:
        inputs: Features (B, …, D).

    Returns:
        Features (B, …, D).

    Reference:
        Ba et al., Layer Normalization, https://arxiv.org/abs/1607.06450
    """

    def call(self, inputs, training=None):
        if self._has_usual_weights() and self._normalizes_last_axis(inputs):
            if not training and _becomes_one_operation(inputs):
                normalized = _normalize(inputs, self.gamma, self.beta, self.epsilon)
                return ops.cast(normalized, self.compute_dtype)
            if ENGINE == "torch" and inputs.is_floating_point():
                return self._by_torch(inputs)
        return super().call(inputs)

    def _by_torch(self, inputs):
        """The operation that Keras uses, without copies of 16-bit features in float32.

        It computes in float32.
        """
        from torch.nn.functional import layer_norm

        gamma, beta = (weight_for(inputs, weight) for weight in (self.gamma, self.beta))
        normalized = layer_norm(inputs, inputs.shape[-1:], gamma, beta, self.epsilon)
        return cast(normalized, self.compute_dtype)

    def _has_usual_weights(self) -> bool:
        # By `rms_scaling`, which is deprecated, Keras' layer computes something else without beta.
        return self.scale and self.center and not getattr(self, "rms_scaling", False)

    def _normalizes_last_axis(self, inputs) -> bool:
        if TF_KERAS:
            return True
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        return axis in (-1, len(inputs.shape) - 1, (-1,), (len(inputs.shape) - 1,))


def _becomes_one_operation(features) -> bool:
    """Whether TensorFlow recognizes `_normalize`: in a graph for a CPU and for texts of any number.

    Of a shape that is known it computes parts beforehand and recognizes nothing any more.
    """
    if ENGINE != "tensorflow":
        return False
    import tensorflow as tf

    return (
        not tf.executing_eagerly()
        and len(features.shape) in (2, 3)
        and None in features.shape[:-1]
        and features.dtype in (tf.float32, tf.bfloat16, tf.float16)
        and not on_accelerator()
    )


def _normalize(features, gamma, beta, epsilon):
    """Layer normalization as a batch normalization in which every token is a channel.

    TensorFlow makes one operation of oneDNN's of it, in a fifth of the time of the formula's parts
    and no less exact. (Left as it stands it is five times less exact.) Keras 2's own layer consists
    of the same where epsilon is large enough for GPUs.
    """
    import tensorflow as tf

    shape, units = tf.shape(features), features.shape[-1]
    count = tf.reduce_prod(shape[:-1], keepdims=True)
    no_statistics = tf.constant([])
    normalized = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(tf.cast(features, tf.float32), (1, count[0], units, 1)),
        scale=tf.ones(count),
        offset=tf.zeros(count),
        mean=no_statistics,
        variance=no_statistics,
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,
    ).y
    gamma, beta = (tf.cast(weight, tf.float32) for weight in (gamma, beta))
    return tf.reshape(normalized, shape) * gamma + beta
