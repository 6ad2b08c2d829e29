"""What of the names put in place a program has used."""

import atexit
import sys

import tensorflow as tf
import tf_keras

from . import modes

_used: set[str] = set()
_graph_name: str | None = None


def note(name: str) -> None:
    """Remember that the program has used a name."""
    _used.add(name)


def is_noted(name: str) -> bool:
    """Whether the program has used a name."""
    return name in _used


def note_graph_name(name: str | None) -> None:
    """Remember the name in a script for which `run` has chosen graph mode."""
    global _graph_name
    _graph_name = name


def at_exit() -> None:
    """Print one line when the program ends."""
    atexit.register(lambda: print(text(), file=sys.stderr))  # noqa: T201


def text() -> str:
    """The line."""
    mode = "in graph mode" if modes.in_graph_mode() else "executing eagerly"
    if _graph_name:
        mode += f", since the script has {_graph_name}; --eager executes it eagerly"
    names = ", ".join(sorted(_used)) or "nothing"
    return (
        f"keras-bert: this program ran on Keras 2 (tf_keras {tf_keras.__version__}, TensorFlow "
        f"{tf.__version__} {mode}); put in place for it: {names}."
    )
