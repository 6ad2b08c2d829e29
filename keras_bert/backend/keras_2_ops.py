"""The part of `keras.ops` that the shared layers use, for Keras 2, which has no such module.

Signatures and meaning are those of https://keras.io/api/ops/.
"""

import tensorflow as tf

abs = tf.abs
arange = tf.range
cast = tf.cast
convert_to_tensor = tf.convert_to_tensor
cumsum = tf.cumsum
diagonal = tf.linalg.diag_part
einsum = tf.einsum
equal = tf.equal
erf = tf.math.erf
expand_dims = tf.expand_dims
expm1 = tf.math.expm1
log = tf.math.log
logical_and = tf.logical_and
logical_not = tf.logical_not
matmul = tf.matmul
maximum = tf.maximum
minimum = tf.minimum
not_equal = tf.not_equal
ones_like = tf.ones_like
reshape = tf.reshape
sigmoid = tf.sigmoid
softmax = tf.nn.softmax
sqrt = tf.sqrt
square = tf.square
squeeze = tf.squeeze
stop_gradient = tf.stop_gradient
transpose = tf.transpose
where = tf.where
zeros_like = tf.zeros_like


def any(x, axis=None):
    return tf.reduce_any(x, axis=axis)


def argmax(x, axis):
    return tf.argmax(x, axis=axis, output_type=tf.int32)


def convert_to_numpy(x):
    return tf.keras.backend.eval(x)  # in graph mode, too


def gelu(x, approximate=True):
    return tf.nn.gelu(x, approximate=approximate)


def logsumexp(x, axis=None):
    return tf.reduce_logsumexp(x, axis=axis)


def max(x, axis=None, keepdims=False):
    return tf.reduce_max(x, axis=axis, keepdims=keepdims)


def scan(f, init, xs, reverse=False):
    """For an `f` whose output is its new carry."""
    carries = tf.scan(lambda carry, x: f(carry, x)[0], xs, init, reverse=reverse)
    last = tf.nest.map_structure(lambda each: each[0 if reverse else -1], carries)
    return last, carries


def shape(x):
    """A tuple with what is known, and a tensor for what is not."""
    known, unknown = tf.TensorShape(x.shape).as_list(), tf.shape(x)
    return tuple(unknown[axis] if size is None else size for axis, size in enumerate(known))


def sum(x, axis=None, keepdims=False):
    return tf.reduce_sum(x, axis=axis, keepdims=keepdims)


def take(x, indices, axis=None):
    return tf.gather(x, indices, axis=axis)


def zeros(shape, dtype=None):
    return tf.zeros(shape, dtype or tf.float32)


def concatenate(xs, axis=0):
    return tf.concat(xs, axis=axis)
