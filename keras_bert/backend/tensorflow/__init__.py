"""What TensorFlow does otherwise than `plain`, under Keras 3 and Keras 2."""

import tensorflow as tf

from .. import plain
from .devices import has_replicas, limit_threads, on_accelerator, replica_mean
from .prediction import predictor
from .update import FusedUpdate


def set_values(pairs) -> None:
    """Give variables values now, and not by operations of a function that is being traced."""
    with tf.init_scope():
        plain.set_values(pairs)


def lookup(table, ids):
    """Rows of a table, with a dense gradient in which a row has the sum over its occurrences.

    TensorFlow's own gradient is a list with an entry per occurrence, and Keras 3's optimizers
    square those entries before they add them up, so that Adam's first step moves a row which occurs
    n times by sqrt(n) times the learning rate; Keras 2 adds up first, but clips a norm before that.
    (Merging the entries here would not do: TensorFlow joins the lists of several lookups.) The
    gradient of a reshape is dense. (`tf.custom_gradient` keeps every graph in which it is called.)
    """
    table = tf.convert_to_tensor(table)
    found = tf.gather(tf.reshape(table, table.shape), ids)
    return plain.nan_outside(found, ids, table.shape[0])


def normalize(features, gamma, beta, epsilon, training):
    """Layer normalization as a batch normalization in which every token is a channel.

    Of it TensorFlow makes one operation of oneDNN's, in a graph for a CPU and for texts of any
    number. (Of a shape that is known it computes parts beforehand and recognizes nothing any more;
    left as it stands it is less exact.) Keras 2's own layer consists of the same where epsilon is
    large enough for GPUs.
    """
    if (
        training
        or tf.executing_eagerly()
        or len(features.shape) not in (2, 3)
        or None not in features.shape.as_list()[:-1]
        or features.dtype not in (tf.float32, tf.bfloat16, tf.float16)
        or on_accelerator()
    ):
        return None
    shape, units = tf.shape(features), features.shape.as_list()[-1]
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


def carries(step, start, xs, reverse=False):
    """The same; XLA cannot compile the gradient of Keras' own `scan`."""
    return tf.scan(step, xs, start, reverse=reverse)
