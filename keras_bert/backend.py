"""The one place that decides which Keras this package runs on.

`TF_KERAS=1` (or `true`, `yes`) in the environment chooses Keras 2, which is the `tf_keras` package
seen as `tensorflow.keras`. Otherwise `import keras` serves: Keras 3 on the backend that
`KERAS_BACKEND` names. Every other module takes `keras` and its parts from here; none reads the
variable.

With `TF_KERAS=1` the layers come from keras-transformer, keras-pos-embd and
keras-layer-normalization, which import `tensorflow.keras` themselves. It must therefore be Keras 2
for the whole process, and importing this package fails where that can no longer be arranged.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys

TF_KERAS = os.environ.get("TF_KERAS", "").strip().lower() in ("1", "true", "yes")

_YES = ("1", "true", "True")  # the spellings that TensorFlow itself accepts


def _import_keras_2():
    """Make `tensorflow.keras` mean Keras 2 in this process and return it."""
    chosen = os.environ.get("TF_USE_LEGACY_KERAS")
    if chosen is not None and chosen not in _YES:
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


def _import_keras_3():
    """Return Keras 3 and refuse an older `keras`."""
    import keras as module

    if int(module.__version__.split(".")[0]) < 3:
        raise ImportError(
            f"keras_bert needs Keras 3. Received: keras {module.__version__}. Install it with "
            "`pip install 'keras>=3'`, or set TF_KERAS=1 to run on Keras 2 (tf_keras)."
        )
    return module


if TF_KERAS:
    keras = _import_keras_2()
    from . import _tf_ops as ops
else:
    keras = _import_keras_3()
    ops = keras.ops

activations = keras.activations
callbacks = keras.callbacks
constraints = keras.constraints
initializers = keras.initializers
layers = keras.layers
losses = keras.losses
metrics = keras.metrics
models = keras.models
optimizers = keras.optimizers
regularizers = keras.regularizers
utils = keras.utils
backend = keras.backend

# What computes, under either Keras: "tensorflow", "jax" or "torch".
ENGINE = backend.backend()


def on_accelerator() -> bool:
    """Whether the engine computes on a GPU or TPU where nobody says otherwise."""
    if ENGINE == "torch":
        return keras.ops.convert_to_tensor(0).device.type != "cpu"
    if ENGINE == "jax":
        import jax

        return jax.default_backend() != "cpu"
    import tensorflow as tf

    # By `list_logical_devices` a process would take the devices before it has set them up.
    return len(tf.config.list_physical_devices()) > len(tf.config.list_physical_devices("CPU"))


def traced(tensor) -> bool:
    """Whether PyTorch does anything else with a tensor than compute what it is told.

    That is to compile or export, to transform functions (`torch.func`, `is_grads_batched`), to look
    at shapes alone, or to divide tensors among devices.
    """
    import torch

    # PyTorch has no public names for these two.
    transforms_active = getattr(torch._C, "_are_functorch_transforms_active", bool)
    is_batched = getattr(torch._C._functorch, "is_legacy_batchedtensor", lambda tensor: False)
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or transforms_active()
        or is_batched(tensor)
    )


def unconverted(cls):
    """Keep TensorFlow from rewriting a layer's `call`, half of the time a model takes to load.

    Keras 2 has AutoGraph turn Python's `if` and `for` into operations, for conditions that depend
    on tensors. This package's layers have none.
    """
    if not TF_KERAS:
        return cls
    import tensorflow as tf

    call = tf.autograph.experimental.do_not_convert(cls.call)
    call.__signature__ = inspect.signature(cls.call)  # by which Keras knows its arguments
    cls.call = call
    return cls


def serializable(cls):
    """Register a class or function under `keras_bert>…`, so that `.keras` files find it.

    On Keras 2 nothing is registered: files keep the plain class names that keras-bert 0.8x wrote
    and read.
    """
    if TF_KERAS:
        return cls
    return keras.saving.register_keras_serializable(package="keras_bert")(cls)
