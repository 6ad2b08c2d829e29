"""Counts over the replicas of a model that are trained together."""

from __future__ import annotations

from ..backend import ops, replica_mean


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
    mean = replica_mean(count)
    return None if mean is None else count / ops.maximum(mean, ops.cast(1e-9, mean.dtype))
