"""The one place that knows on which Keras and on which engine this package runs.

`switch` decides for Keras 3 or Keras 2, whose parts, such as `layers` and `ops`, are in `parts`.
`plain` has the few functions that differ between engines, and an engine's module those that it has
otherwise; `keras_3` and `keras_2` have what differs between the two Keras. All their public names
are names of this module: other modules take them from here, and do not ask which it is.
"""

from importlib import import_module
from inspect import ismodule
from threading import RLock
from typing import Any

from .switch import TF_KERAS

__all__ = [
    *("TF_KERAS", "activations", "backend", "callbacks", "constraints", "initializers", "keras"),
    *("layers", "losses", "metrics", "models", "ops", "optimizers", "regularizers", "utils"),
]

_SUBMODULES = ("plain", "parts", "private", "kept", "switch", "keras_2", "keras_3", "keras_2_ops")
_SUBMODULES += ("jax", "tensorflow", "torch")

_loading = RLock()
_has_begun = False


def _load() -> None:
    """Import Keras and the engine's module, and make their names those of this module."""
    parts = import_module(".parts", __name__)
    globals().update({name: getattr(parts, name) for name in __all__ if name != "TF_KERAS"})
    # Later modules have precedence: the engine over `plain`, and the Keras over its engine.
    for module in ("plain", parts.backend.backend(), "keras_2" if TF_KERAS else "keras_3"):
        for name, value in vars(import_module(f".{module}", __name__)).items():
            if not name.startswith("_") and not ismodule(value):
                globals()[name] = value


def __getattr__(name: str) -> Any:
    """Import Keras, which takes seconds, when the first of these names is asked for."""
    global _has_begun
    with _loading:  # other threads wait for the names
        # While Keras is being imported, Python looks here for submodules first.
        if not (_has_begun or name in _SUBMODULES or name.startswith("__")):
            _has_begun = True
            try:
                _load()
            except BaseException as error:
                _has_begun = False
                if isinstance(error, AttributeError):  # would read as if this name were missing
                    message = f"Keras is not installed as it should be: {error}."
                    raise ImportError(message) from error
                raise
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if TF_KERAS:  # before anybody uses `tensorflow.keras`
    _has_begun = True
    _load()
