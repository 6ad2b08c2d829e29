"""The part of `keras.ops` that the shared layers use, for Keras 2, which has no such module.

Signatures and meaning are those of https://keras.io/api/ops/.
"""

import tensorflow as tf

abs = tf.abs
arange = tf.range
cast = tf.cast
convert_to_tensor = tf.convert_to_tensor
cumsum = tf.cumsum
equal = tf.equal
expand_dims = tf.expand_dims
expm1 = tf.math.expm1
logical_and = tf.logical_and
maximum = tf.maximum
minimum = tf.minimum
not_equal = tf.not_equal
shape = tf.shape
sqrt = tf.sqrt
square = tf.square
squeeze = tf.squeeze
tanh = tf.tanh
where = tf.where


def einsum(equation, *operands):
    return tf.einsum(equation, *operands)


def gelu(x, approximate=True):
    return tf.nn.gelu(x, approximate=approximate)


def max(x, axis=None, keepdims=False):
    return tf.reduce_max(x, axis=axis, keepdims=keepdims)


def softmax(x, axis=-1):
    return tf.nn.softmax(x, axis=axis)


def take(x, indices, axis=None):
    return tf.gather(x, indices, axis=axis)


def zeros(shape, dtype=None):
    return tf.zeros(shape, dtype or tf.float32)
