"""Values of tensors, for checks of what a layer is given."""

from typing import Any

import numpy as np

from ..backend import traced


def known_values(tensor: Any) -> np.ndarray | None:
    """The values of a tensor; None where they are not known: in a traced graph, or elsewhere."""
    if traced(tensor):
        return None
    try:
        values = np.asarray(tensor)
    except Exception:  # a traced or symbolic tensor, or one on an accelerator
        return None
    return None if values.dtype == object else values
