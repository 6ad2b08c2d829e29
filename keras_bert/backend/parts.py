"""The parts of the Keras in use."""

from . import switch

keras = switch.import_keras()
if switch.TF_KERAS:
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
