"""Validation during `fit`: its order, and `validation_data` of callbacks.

From the latter, callbacks of 2018–2021 compute metrics of their own.
"""

import functools
import inspect

import numpy as np

from . import modes
from .report import note


def validating_in_order(model_iteration):
    """Validate in the order of the data in graph mode, where Keras 2 today shuffles them.

    That also drew numbers of NumPy's, which the program then did not get.
    """

    @functools.wraps(model_iteration)
    def call(*args, validation_in_fit=False, **kwargs):
        if validation_in_fit:
            kwargs["shuffle"] = False
        return model_iteration(*args, validation_in_fit=validation_in_fit, **kwargs)

    return call


def giving_validation_data(fit):
    """Let callbacks have `validation_data` during a method `fit`, as Keras itself did."""
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def call(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        callbacks = given.get("callbacks")
        # A program may keep data of its own under the name.
        without = [
            callback
            for callback in (callbacks if isinstance(callbacks, (list, tuple)) else ())
            if getattr(callback, "validation_data", None) is None
        ]
        data = _arrays(given) if without and modes.is_keras_imported() else None
        if data is None:
            return fit(*args, **kwargs)
        for callback in without:
            callback.validation_data = data
        note("validation_data of callbacks")
        try:
            return fit(*args, **kwargs)
        finally:
            for callback in without:  # the next call may have other data
                callback.validation_data = None

    return call


def _arrays(given):
    """Inputs, targets and weights of examples in one list, or None if they are no arrays."""
    data, start = given.get("validation_data"), 0
    if data is None and given.get("validation_split"):
        names = ("x", "y", "sample_weight")
        data = [given[name] for name in names if given.get(name) is not None]
        start = None
    if not isinstance(data, (list, tuple)) or len(data) not in (2, 3):
        return None
    if not all(isinstance(part, (np.ndarray, list, tuple)) for part in data):
        return None
    parts = [list(map(np.asarray, part if _is_several(part) else [part])) for part in data]
    if len(parts) == 2:
        parts.append([np.ones(len(targets), "float32") for targets in parts[1]])
    arrays = [array for part in parts for array in part]
    if start is None:
        start = int(len(arrays[0]) * (1.0 - given["validation_split"]))
    return [array[start:] for array in arrays]


def _is_several(part) -> bool:
    """Whether a list has an entry for each input or output, as in Keras 2, and not numbers."""
    return isinstance(part, (list, tuple)) and all(
        isinstance(each, (np.ndarray, list, tuple)) for each in part
    )
