"""Counts over the replicas of a model that are trained together."""

from __future__ import annotations

from ..backend import has_replicas, ops, replica_mean


def relative_count(count):
    """A replica's count of something over the mean count of all replicas.

    A mean over the things of this replica times that factor is a number whose mean over the
    replicas is the mean over the things of all of them.

    Args:
        count: Function that gives the count of this replica, a float32 scalar.

    Returns:
        Scalar, 0 where no replica has anything; or None where there is one replica only. On
        PyTorch, also outside training: processes need not evaluate together.
    """
    if not has_replicas():
        return None
    count = count()
    mean = replica_mean(count)
    return count / ops.maximum(mean, ops.cast(1e-9, mean.dtype))
