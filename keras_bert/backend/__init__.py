"""The one place that knows on which Keras and on which engine this package runs.

`switch` decides for Keras 3 or Keras 2, whose parts, such as `layers` and `ops`, are in `parts`.
`plain` has the few functions that differ between engines, and an engine's module those that it has
otherwise; `keras_3` and `keras_2` have what differs between the two Keras. All their public names
are names of this module: other modules take them from here, and do not ask which it is.
"""

from importlib import import_module
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

from . import switch
from .switch import TF_KERAS

__all__ = [
    *("TF_KERAS", "activations", "backend", "callbacks", "constraints", "initializers", "keras"),
    *("layers", "losses", "metrics", "models", "ops", "optimizers", "regularizers", "utils"),
]

_loading = RLock()
_has_begun = False


def _load() -> None:
    """Import Keras and the engine's module, and make their names those of this module."""
    global _has_begun
    _has_begun = True
    try:
        parts = import_module(".parts", __name__)
        globals().update({name: getattr(parts, name) for name in __all__ if name != "TF_KERAS"})
        # Later modules have precedence: the engine over `plain`, and the Keras over its engine.
        for module in ("plain", parts.backend.backend(), "keras_2" if TF_KERAS else "keras_3"):
            for name, value in vars(import_module(f".{module}", __name__)).items():
                if not name.startswith("_") and not isinstance(value, ModuleType):
                    globals()[name] = value
    except BaseException:
        _has_begun = False  # so that it can be tried again
        raise


def use_keras_2() -> None:
    """Choose Keras 2 for this process, as `TF_KERAS=1` does, unless Keras 3 is already in use."""
    global TF_KERAS
    if TF_KERAS and _has_begun:
        return
    if _has_begun:
        raise ImportError(
            "Keras 2 cannot be chosen: keras_bert runs on Keras 3 in this process already. Choose "
            "it before anything else is imported from keras_bert, or set TF_KERAS=1 in the "
            "environment."
        )
    TF_KERAS = True
    switch.choose_keras_2()
    _load()


def __getattr__(name: str) -> Any:
    """Import Keras, which takes seconds, when the first of these names is asked for."""
    with _loading:  # other threads wait for the names
        # Python looks here for submodules first, also while Keras is being imported.
        if not (_has_begun or name.startswith("__") or find_spec(f"{__name__}.{name}")):
            try:
                _load()
            except AttributeError as error:  # which would read as if this name were missing
                raise ImportError(f"Keras is not installed as it should be: {error}.") from error
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if TF_KERAS and not switch.is_command_line():  # before anybody uses `tensorflow.keras`
    _load()
