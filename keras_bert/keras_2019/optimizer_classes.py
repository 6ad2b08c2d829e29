"""Optimizers with a method `get_updates`, as in Keras 2.0–2.3: a program's own, and Keras'."""

import functools

import tensorflow as tf
from tf_keras.src import optimizers as keras_optimizers
from tf_keras.src.optimizers import optimizer, optimizer_v1

from ..backend import backend, optimizers
from . import modes
from .report import note

_New = optimizers.legacy.Optimizer
NAMES = ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop", "SGD")
# Arguments that only the new optimizers have.
_NEW_ARGUMENTS = {
    *("ema_momentum", "ema_overwrite_frequency", "is_legacy_optimizer", "jit_compile", "use_ema"),
    "weight_decay",
}
_UPDATES = {
    "update": lambda x, new_x: (x, new_x),
    "update_add": lambda x, increment: (x, x + increment),
    "update_sub": lambda x, decrement: (x, x - decrement),
}


class OldOptimizer(optimizer_v1.Optimizer):
    """The base of such classes."""

    def __setattr__(self, name, value):
        if isinstance(value, (_New, optimizer.Optimizer)):
            raise TypeError(
                f"{type(self).__name__} has get_updates of Keras 2.0–2.3, and optimizers that it "
                "could work with have them no more. To add up the gradients of several batches, "
                "take gradient_accumulation_steps= of the optimizers of Keras 3 instead; for "
                "learning rates of single layers, AdamWarmup(learning_rate_factors=...). "
                f"Received: {type(value).__name__}"
            )
        super().__setattr__(name, value)


_OLD = {
    _New: OldOptimizer,
    **{getattr(optimizers.legacy, name): getattr(optimizer_v1, name) for name in NAMES},
}


_KERAS_OWN = {name: getattr(backend, name) for name in _UPDATES}


def install() -> None:
    """Give classes of the old form the base that calls `get_updates`."""
    _New.__init_subclass__ = classmethod(functools.partial(_with_old_base, _New))
    optimizer_v1.Optimizer.__init_subclass__ = classmethod(
        functools.partial(_with_old_base, optimizer_v1.Optimizer)
    )
    for name in NAMES:
        known = getattr(optimizer_v1, name)
        known.get_updates = _refusing_patches(known.get_updates)
    keras_optimizers.deserialize = _as_old_class_in_graph_mode(keras_optimizers.deserialize)


def _as_old_class_in_graph_mode(deserialize):
    """Read the configuration of a new optimizer as one of the old class of its name in graph mode.

    As that of a model which was saved eagerly. There the new ones do not train.
    """

    @functools.wraps(deserialize)
    def call(config, *args, **kwargs):
        if not modes.in_graph_mode():
            return deserialize(config, *args, **kwargs)
        name, values = config["class_name"].removeprefix("Custom>"), config.get("config") or {}
        is_new = values.get("is_legacy_optimizer") is False and name in NAMES
        is_the_same = not (values.get("weight_decay") or values.get("use_ema"))
        if is_new and is_the_same:
            old = {key: value for key, value in values.items() if key not in _NEW_ARGUMENTS}
            return getattr(optimizers.legacy, name).from_config(old)
        return deserialize(config, *args, **kwargs)

    return call


def _with_old_base(base, cls, **kwargs):
    super(base, cls).__init_subclass__(**kwargs)
    if "get_updates" in vars(cls):
        note("optimizers with get_updates")
        cls.__bases__ = tuple(_OLD.get(each, each) for each in cls.__bases__)
        cls.get_updates = _reading_before_updates(cls.get_updates)


def _refusing_patches(get_updates):
    """Refuse to go on where a program has put its own function in the place of `K.update`.

    bert4keras' optimizers with weight decay do; the ones that TensorFlow has do not call it.
    """

    @functools.wraps(get_updates)
    def call(self, loss, params):
        if backend.update not in (_KERAS_OWN["update"], _UPDATES["update"]):
            raise TypeError(
                f"{type(self).__name__} changes K.update, which the optimizers of today's "
                "Keras 2 do not call: its changes would be lost. For weight decay take AdamWarmup."
            )
        return get_updates(self, loss, params)

    return call


def _reading_before_updates(get_updates):
    """Update variables after all new values are known, of which some are computed from others.

    TensorFlow 1 read its variables first; today's are read in any order.
    """

    @functools.wraps(get_updates)
    def call(self, loss, params):
        functions = {name: getattr(backend, name) for name in _UPDATES}
        # Not those that the program has replaced.
        own = [name for name, function in functions.items() if function is _KERAS_OWN[name]]
        vars(backend).update({name: _UPDATES[name] for name in own})
        try:
            updates = get_updates(self, loss, params)
        finally:
            vars(backend).update(functions)
        new_values = [each[1] for each in updates if isinstance(each, tuple)]
        with tf.control_dependencies(list(map(tf.convert_to_tensor, new_values))):
            self.updates = [
                tf.compat.v1.assign(*each) if isinstance(each, tuple) else each for each in updates
            ]
        return self.updates

    return call
