"""Defaults of Keras 2.0–2.3, for arguments that a program leaves out."""

import functools
import inspect
from typing import Any

from tf_keras.src import optimizers as keras_optimizers

from ..backend import layers, optimizers
from . import modes
from .report import note

_LEARNING_RATES = {"Adadelta": 1.0, "Adagrad": 0.01, "Adamax": 0.002, "Nadam": 0.002}


def install() -> None:
    """Give them to what a program makes that imports `keras`."""
    for name, rate in _LEARNING_RATES.items():
        new = getattr(getattr(keras_optimizers, name.lower()), name)
        for optimizer in (getattr(optimizers.legacy, name), new):
            _set_default(optimizer, "learning_rate", rate, other_name="lr")
            if name == "Adagrad":
                _set_default(optimizer, "initial_accumulator_value", 0.0)
    for layer in (layers.GRU, layers.GRUCell):
        _set_default(layer, "reset_after", False)


def _set_default(cls: type, argument: str, value: Any, other_name: str = "") -> None:
    init = cls.__init__
    position = list(inspect.signature(init).parameters).index(argument)

    @functools.wraps(init)
    def call(self, *args, **kwargs):
        is_given = len(args) >= position or argument in kwargs or other_name in kwargs
        if modes.is_keras_imported() and not is_given:
            note(f"{cls.__name__} with {argument}={value}")
            kwargs[argument] = value
        init(self, *args, **kwargs)

    cls.__init__ = call
