"""Layer normalization: the small package's under Keras 2, Keras' own on Keras 3.

Both take the same arguments and hold the weights gamma, beta in this order.
"""

from __future__ import annotations

from ..backend import TF_KERAS, backend, layers, serializable

if TF_KERAS:
    from keras_layer_normalization import LayerNormalization as _LayerNormalization
else:
    _LayerNormalization = layers.LayerNormalization


@serializable
class LayerNormalization(_LayerNormalization):
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
        whole = self.scale and self.center and self._normalizes_last_axis(inputs)
        if whole and not training and _becomes_one_operation(inputs):
            return _normalize(inputs, self.gamma, self.beta, self.epsilon)
        return super().call(inputs)

    def _normalizes_last_axis(self, inputs) -> bool:
        if TF_KERAS:
            return True
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        return axis in (-1, len(inputs.shape) - 1, (-1,), (len(inputs.shape) - 1,))


def _becomes_one_operation(features) -> bool:
    """Whether TensorFlow recognizes `_normalize`: in a graph for a CPU and for texts of any number.

    Of a shape that is known it computes parts beforehand and recognizes nothing any more.
    """
    if not TF_KERAS and backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return (
        not tf.executing_eagerly()
        and len(features.shape) in (2, 3)
        and None in features.shape[:-1]
        and features.dtype == tf.float32
        # By `list_logical_devices` a process would take the devices before it has set them up.
        and len(tf.config.list_physical_devices()) == len(tf.config.list_physical_devices("CPU"))
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
        x=tf.reshape(features, (1, count[0], units, 1)),
        scale=tf.ones(count),
        offset=tf.zeros(count),
        mean=no_statistics,
        variance=no_statistics,
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,
    ).y
    return tf.reshape(normalized, shape) * gamma + beta
