"""The parts of the Keras in use."""

from __future__ import annotations

from .switch import TF_KERAS, import_keras

keras = import_keras()
if TF_KERAS:
    from . import keras_2_ops as ops
else:
    ops = keras.ops

activations = keras.activations
backend = keras.backend
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

__all__ = [
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "initializers",
    "keras",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "regularizers",
    "utils",
]
