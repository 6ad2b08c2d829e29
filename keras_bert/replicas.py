"""Sums over the replicas of a model that are trained together, where the engine does not make them.

On JAX one function computes with the arrays of all devices, and there is nothing to do.
"""

from __future__ import annotations

from .backend import ENGINE, ops


def relative_count(count):
    """A replica's count of something over the mean count of all replicas.

    A mean over the things of this replica times that factor is a number whose mean over the
    replicas is the mean over the things of all of them.

    Args:
        count: Float32 scalar of this replica.

    Returns:
        Scalar, 0 where no replica has anything; or None where there is one replica only. On
        PyTorch, also outside training: processes need not evaluate together.
    """
    if ENGINE == "tensorflow":
        mean = _mean_in_tensorflow(count)
    elif ENGINE == "torch":
        mean = _mean_in_torch(count)
    else:
        mean = None
    return None if mean is None else count / ops.maximum(mean, ops.cast(1e-9, mean.dtype))


def _mean_in_tensorflow(count):
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, count)


def _mean_in_torch(count):
    import torch
    from torch import distributed

    if not distributed.is_available() or not distributed.is_initialized():
        return None
    if distributed.get_world_size() == 1 or not torch.is_grad_enabled():
        return None
    mean = count / distributed.get_world_size()
    distributed.all_reduce(mean)
    return mean
