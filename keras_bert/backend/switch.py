"""Which Keras this package runs on.

`TF_KERAS=1` (or `true`, `yes`) in the environment chooses Keras 2, which is the package `tf_keras`
seen as `tensorflow.keras`; otherwise `import keras` is to give Keras 3.

The small packages' layers import `tensorflow.keras` themselves. It must therefore be Keras 2 for
the whole process, and importing this package fails where that can no longer be arranged.
"""

import importlib
import os
import sys
import warnings

TF_KERAS = os.environ.get("TF_KERAS", "").strip().lower() in ("1", "true", "yes")

ENGINES = ("tensorflow", "jax", "torch")


def is_command_line() -> bool:
    """Whether this process is `python -m keras_bert` or `keras-bert`.

    Nobody else imports TensorFlow there, so that Keras 2 can be imported when it is needed.
    """
    if sys.argv[0] == "-m":  # Python looks for the package
        words = sys.orig_argv
        return "-m" in words and words[words.index("-m") + 1 :][:1] == ["keras_bert"]
    return os.path.basename(sys.argv[0]).removesuffix(".exe") == "keras-bert"


def choose_keras_2() -> None:
    """Do as if `TF_KERAS=1` had been set, also in processes that this one starts."""
    global TF_KERAS
    TF_KERAS = True
    os.environ["TF_KERAS"] = "1"


def _import_keras_2():
    """Make `tensorflow.keras` mean Keras 2 in this process and return it."""
    chosen = os.environ.get("TF_USE_LEGACY_KERAS")
    if chosen not in (None, "1", "true", "True"):  # the spellings that TensorFlow itself accepts
        raise ImportError(
            "TF_KERAS asks for Keras 2, but the environment chooses Keras 3 for TensorFlow. "
            f"Received: TF_USE_LEGACY_KERAS={chosen!r}. Unset it or set it to 1; or unset TF_KERAS "
            "to run on Keras 3."
        )
    try:
        api = importlib.import_module("tf_keras.api._v2.keras")
    except ImportError as error:
        raise ImportError(
            "TF_KERAS asks for Keras 2, which is the package `tf_keras`, and it cannot be imported "
            f"({error}). Install it with `pip install tf_keras`, or unset TF_KERAS for Keras 3."
        ) from error
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    try:
        return _resolve_keras_2(api)
    except ImportError:  # leave the process as it was, for whoever goes on without this package
        if chosen is None:
            del os.environ["TF_USE_LEGACY_KERAS"]
        raise


def _resolve_keras_2(api):
    """Return `tensorflow.keras`, provided that it is Keras 2 by every way to it."""
    import tensorflow

    _check_keras_2(api, tensorflow.keras)
    # TensorFlow imported before the variable was set looks for the submodule `tensorflow.keras` in
    # Keras 3 first; put the folder of Keras 2 in front, as TensorFlow's own __init__ does.
    folder = os.path.dirname(os.path.dirname(api.__file__))
    if folder not in tensorflow.__path__[:1]:
        tensorflow.__path__.insert(0, folder)
    submodule = importlib.import_module("tensorflow.keras")
    _check_keras_2(api, submodule)
    _check_keras_2(api, sys.modules["tensorflow"].keras)
    return submodule


def _check_keras_2(api, resolved):
    if resolved.layers.Layer is not api.layers.Layer:
        raise ImportError(
            "TF_KERAS asks for Keras 2, but `tensorflow.keras` has already resolved to Keras 3 "
            "in this process. Import keras_bert before the first use of `tf.keras`, or set "
            "TF_USE_LEGACY_KERAS=1 in the environment before Python starts."
        )


def import_keras():
    """Import Keras 3 or, where `TF_KERAS` says so, Keras 2; an ImportError says what to set."""
    if TF_KERAS:
        return _import_keras_2()
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen and "keras" not in sys.modules:  # Keras itself does not say what can be chosen
        _check_engine(chosen)
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name not in ENGINES:
            raise
        raise ImportError(
            f"Keras is to run on {error.name}, by KERAS_BACKEND or keras.json, and that is not "
            f"installed: pip install {error.name}, or choose another."
        ) from None

    if int(keras.__version__.split(".")[0]) < 3:
        raise ImportError(
            f"keras_bert needs Keras 3. Received: keras {keras.__version__}. Install it with "
            "`pip install 'keras>=3'`, or set TF_KERAS=1 to run on Keras 2 (tf_keras)."
        )
    _check_engine(keras.backend.backend())
    return keras


def _check_engine(name: str) -> None:
    if name not in ENGINES:
        raise ImportError(
            f"keras_bert runs on Keras' engines {', '.join(ENGINES[:-1])} and {ENGINES[-1]}: set "
            "KERAS_BACKEND to one of them before Keras is imported. Received, by KERAS_BACKEND or "
            f"keras.json: {name!r}."
        )


def warn_of_both() -> None:
    """Warn where this package runs on Keras 2 and the user's program has imported Keras 3.

    TensorFlow imports Keras 3 as well: only the names in the program itself tell. Helpers such as
    `to_categorical` may come from either.
    """
    if not TF_KERAS:
        return
    program = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    names = sorted(name for name, value in program.items() if _is_of_keras_3(value))
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        warnings.warn(
            "Take `from keras_bert.backend import keras` in place of `import keras`, or run the "
            "script as it stands with `python -m keras_bert run SCRIPT`, or unset TF_KERAS: "
            "keras_bert runs on Keras 2 (TF_KERAS), and this program has imported from Keras 3: "
            f"{', '.join(names[:5])}{more}. Layers and models of the two cannot be mixed, which "
            "ends in errors about KerasTensors.",
            stacklevel=3,
        )


def _is_of_keras_3(value) -> bool:
    is_module = isinstance(value, type(sys))
    name = f"{value.__name__ if is_module else getattr(value, '__module__', '')}."
    return name.startswith("keras.") and ".utils." not in name
