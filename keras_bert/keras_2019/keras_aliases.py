"""Names of functions and classes that Keras has dropped, though not what they name."""

import tensorflow as tf
from tf_keras.src import backend as keras_backend
from tf_keras.src import losses as keras_losses

from ..backend import backend, constraints, initializers, keras, optimizers

# In its sources still, but no longer public.
_BACKEND = """conv3d_transpose get_graph get_session identity is_placeholder logsumexp py_all py_sum
    separable_conv1d set_session"""
_OPTIMIZERS = "Adadelta Adagrad Adam Adamax Nadam RMSprop SGD"
_LOSSES = {
    "cosine": keras_losses.cosine_similarity,
    "cosine_proximity": keras_losses.cosine_similarity,
    "huber_loss": keras_losses.huber,
}
_ALIASES = {
    backend: {
        **{name: getattr(keras_backend, name) for name in _BACKEND.split()},
        "control_dependencies": tf.control_dependencies,
        "is_tensor": tf.is_tensor,
        "is_variable": lambda x: isinstance(x, tf.Variable),
        "size": lambda x, name=None: tf.size(x, name=name),
        "slice": lambda x, start, size: tf.slice(x, start, size),
        "symbolic": lambda function: function,
        "tf": tf,
    },
    constraints: {
        "maxnorm": constraints.max_norm,
        "nonneg": constraints.non_neg,
        "unitnorm": constraints.unit_norm,
    },
    initializers: {"normal": initializers.RandomNormal, "uniform": initializers.RandomUniform},
    keras.losses: _LOSSES,
    keras_losses: _LOSSES,  # where `compile` looks for strings
    optimizers: {name.lower(): getattr(optimizers.legacy, name) for name in _OPTIMIZERS.split()},
}


def install() -> None:
    """Put the names in place."""
    for module, names in _ALIASES.items():
        for name, named in names.items():
            setattr(module, name, named)
