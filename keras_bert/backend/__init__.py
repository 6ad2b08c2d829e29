"""The one place that knows on which Keras and on which engine this package runs.

`switch` decides for Keras 3 or Keras 2. `parts` has the parts of that Keras, such as `layers` and
`ops`. `plain` has the few functions that differ between engines, in `keras.ops` alone; the module
of an engine (`tensorflow`, `jax`, `torch`) has those that it has otherwise. `keras_3` and `keras_2`
have what differs between the two Keras. All their public names are names of this module: the other
modules take what they need from here, and do not ask which it is.
"""

from __future__ import annotations

from importlib import import_module
from inspect import ismodule
from typing import Any

from .switch import TF_KERAS


def _load() -> None:
    """Import Keras and the engine's module, and make their names those of this module."""
    parts = import_module(".parts", __name__)
    globals().update({name: getattr(parts, name) for name in parts.NAMES})
    for module in ("plain", parts.backend.backend(), "keras_2" if TF_KERAS else "keras_3"):
        names = vars(import_module(f".{module}", __name__))
        globals().update(
            {
                name: value
                for name, value in names.items()
                if not name.startswith("_") and not ismodule(value)
            }
        )


def __getattr__(name: str) -> Any:
    # Keras takes seconds to import: only when somebody needs it.
    if name.startswith("__") or "keras" in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        _load()
    except AttributeError as error:  # which would read as if this name were missing
        raise ImportError(f"Keras is not installed as it should be: {error}.") from error
    if name not in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


if TF_KERAS:  # before anybody uses `tensorflow.keras`
    _load()
