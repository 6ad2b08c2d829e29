"""The one place that knows on which Keras and on which engine this package runs.

`switch` decides for Keras 3 or Keras 2. `parts` has the parts of that Keras, such as `layers` and
`ops`. For each engine of Keras 3 (`tensorflow`, `jax`, `torch`) and for Keras 2 (`keras_2`) there
is a module with the same few functions, which `plain` has in `keras.ops` alone, and for what Keras
itself does in the same way everywhere. All are names of this module: the other modules take what
they need from here, and do not ask which it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .switch import TF_KERAS


def _load() -> None:
    """Import Keras and the engine's module, and make their names those of this module."""
    engine = import_module(".parts", __name__).backend.backend()
    for name in ("parts", engine, "keras_2" if TF_KERAS else "keras_3"):
        module = import_module(f".{name}", __name__)
        globals().update((each, getattr(module, each)) for each in module.__all__)


def __getattr__(name: str) -> Any:
    # Keras takes seconds to import: only when somebody needs it.
    if name.startswith("__") or "keras" in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _load()
    if name not in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


if TF_KERAS:  # before anybody uses `tensorflow.keras`
    _load()
