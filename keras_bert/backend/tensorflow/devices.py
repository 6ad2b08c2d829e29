"""Accelerators, threads and replicas of TensorFlow."""

import tensorflow as tf


def on_accelerator() -> bool:
    """Whether a GPU or TPU computes where nobody says otherwise."""
    # By `list_logical_devices` a process would take the devices before it has set them up.
    return len(tf.config.list_physical_devices()) > len(tf.config.list_physical_devices("CPU"))


def limit_threads(count: int) -> None:
    """Compute with a number of threads; a RuntimeError if another has been in use."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def has_replicas() -> bool:
    """Whether a strategy trains several replicas."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def replica_mean(count):
    """The mean of a number over the replicas of a strategy."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, count)
