"""Names that Keras has dropped, or given to something else, though it still has what they named."""

import numpy as np
import tensorflow as tf
from tf_keras.src import backend as keras_backend
from tf_keras.src import losses as keras_losses
from tf_keras.src.engine import functional

from ..backend import (
    backend,
    callbacks,
    constraints,
    initializers,
    keras,
    layers,
    models,
    optimizers,
    utils,
)
from .optimizer_classes import NAMES
from .sessions import get_session, variable

# In its sources still, but no longer public.
_BACKEND = """conv3d_transpose get_graph identity is_placeholder logsumexp py_all py_sum
    separable_conv1d set_session"""
# What Keras' modules had imported for themselves, and scripts take from them with a `*`.
_IMPORTED = {"K": backend, "np": np}
_LOSSES = {
    "cosine": keras_losses.cosine_similarity,
    "cosine_proximity": keras_losses.cosine_similarity,
    "huber_loss": keras_losses.huber,
}


def _get_available_gpus():
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def _print_summary(model, *args, **kwargs):
    model.summary(*args, **kwargs)


_ALIASES = {
    backend: {
        **{name: getattr(keras_backend, name) for name in _BACKEND.split()},
        "_get_available_gpus": _get_available_gpus,
        "get_session": get_session,
        "control_dependencies": tf.control_dependencies,
        "image_dim_ordering": lambda: "tf",
        "is_tensor": tf.is_tensor,
        "is_variable": lambda x: isinstance(x, tf.Variable),
        "size": lambda x, name=None: tf.size(x, name=name),
        "slice": lambda x, start, size: tf.slice(x, start, size),
        "symbolic": lambda function: function,
        "tf": tf,
        "variable": variable,
    },
    callbacks: _IMPORTED,
    constraints: {
        "maxnorm": constraints.max_norm,
        "nonneg": constraints.non_neg,
        "unitnorm": constraints.unit_norm,
    },
    initializers: {"normal": initializers.RandomNormal, "uniform": initializers.RandomUniform},
    keras.losses: _LOSSES,
    keras.metrics: {name: _LOSSES[name] for name in ("cosine", "cosine_proximity")},
    keras_losses: _LOSSES,  # where `compile` looks for strings
    layers: _IMPORTED,
    models: {**_IMPORTED, "Input": keras.Input, "Network": functional.Functional},
    utils: {"print_summary": _print_summary},
    # The classes that have these names today ignore `lr`, with no more than a message in a log.
    optimizers: {
        **_IMPORTED,
        **{name: getattr(optimizers.legacy, name) for name in (*NAMES, "Ftrl", "Optimizer")},
        **{name.lower(): getattr(optimizers.legacy, name) for name in NAMES},
    },
}


def install() -> None:
    """Put the names in place."""
    for module, names in _ALIASES.items():
        for name, named in names.items():
            setattr(module, name, named)
