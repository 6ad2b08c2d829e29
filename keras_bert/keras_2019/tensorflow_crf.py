"""The functions of tf.contrib.crf, on the dynamic programming of `keras_bert.layers.CRF`.

B sequences of T positions, each of which has one of U tags; `sequence_lengths` (B,) says how many
positions count. `transition_params` (U, U) has the score of each tag (row) before each other.
"""

import numpy as np
import tensorflow as tf

from ..layers.tag_paths import log_likelihood, viterbi_path


def crf_log_likelihood(inputs, tag_indices, sequence_lengths, transition_params=None):
    """The logarithm of the probability (B,) of tags (B, T) by scores (B, T, U); the transitions."""
    inputs = tf.convert_to_tensor(inputs)
    units = inputs.shape[-1]
    if transition_params is None:
        transition_params = tf.compat.v1.get_variable("transitions", [units, units])
    found = log_likelihood(
        inputs,
        tf.convert_to_tensor(transition_params),
        _counted(inputs, sequence_lengths),
        tf.one_hot(tag_indices, units, dtype=inputs.dtype),
    )
    return found, transition_params


def crf_decode(potentials, transition_params, sequence_length):
    """The tags (B, T) of the best sequences, 0 where they do not count; their scores (B,)."""
    potentials = tf.convert_to_tensor(potentials)
    counted = _counted(potentials, sequence_length)
    path = viterbi_path(potentials, tf.convert_to_tensor(transition_params), counted)
    path = tf.where(counted, path, 0)
    return path, crf_sequence_score(potentials, path, sequence_length, transition_params)


def crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params):
    """The score (B,) of tags (B, T) by scores (B, T, U)."""
    inputs, tags = tf.convert_to_tensor(inputs), tf.cast(tag_indices, "int32")
    counted = tf.cast(_counted(inputs, sequence_lengths), inputs.dtype)
    own = tf.gather(inputs, tags, batch_dims=2)
    steps = tf.gather_nd(transition_params, tf.stack([tags[:, :-1], tags[:, 1:]], axis=-1))
    return tf.reduce_sum(own * counted, axis=1) + tf.reduce_sum(steps * counted[:, 1:], axis=1)


def viterbi_decode(score, transition_params):
    """The tags, a list, of the best sequence by scores (T, U), both in NumPy; its score."""
    best, before = score[0], []
    for each in score[1:]:
        paths = best[:, None] + transition_params
        before.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + each
    path = [int(best.argmax())]
    for each in reversed(before):
        path.append(int(each[path[-1]]))
    return path[::-1], np.max(best)


def _counted(inputs, lengths):
    return tf.sequence_mask(lengths, tf.shape(inputs)[1])
