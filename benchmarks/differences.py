"""How far numbers are from others."""

from collections.abc import Iterable

import numpy as np


def largest(differences: Iterable[np.ndarray | float]) -> float:
    """The largest absolute value of all; nan if any is, which Python's `max` would lose."""
    return float(np.max([np.abs(each).max() for each in differences]))
