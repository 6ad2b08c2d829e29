"""Checks of the ids that an embedding table is asked for."""

from __future__ import annotations

import numpy as np


def check_ids(layer_name: str, ids, limit: int) -> None:
    """Refuse ids outside a table wherever their values are known, that is, outside a traced graph.

    Out of range, JAX returns NaN and others fail without naming the layer.

    Args:
        layer_name: Name of the layer, for the message.
        ids: Integer tensor or array of any shape.
        limit: Number of rows of the table, V.

    Raises:
        ValueError: If an id is negative or not below `limit`.
    """
    try:
        values = np.asarray(ids)
    except Exception:  # a traced or symbolic tensor, or one on an accelerator: values unknown here
        return
    if values.dtype == object or values.size == 0:
        return
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= limit:
        raise ValueError(
            f"Layer '{layer_name}' has {limit} rows, so its ids must lie in [0, {limit - 1}]. "
            f"Received ids from {low} to {high}. Encode the texts with the vocabulary that belongs "
            "to this model."
        )
