"""Optimizers that programs write themselves as in Keras 2.0–2.3, with a method `get_updates`."""

import functools

import tensorflow as tf
from tf_keras.src.optimizers import optimizer, optimizer_v1

from ..backend import backend, optimizers
from .report import note

_New = optimizers.legacy.Optimizer
_NAMES = ("Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "RMSprop", "SGD")
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
                "take gradient_accumulation_steps= of the optimizers of Keras 3 instead. "
                f"Received: {type(value).__name__}"
            )
        super().__setattr__(name, value)


_OLD = {
    _New: OldOptimizer,
    **{getattr(optimizers.legacy, name): getattr(optimizer_v1, name) for name in _NAMES},
}


def install() -> None:
    """Give classes of the old form the base that calls `get_updates`."""
    _New.__init_subclass__ = classmethod(_with_old_base)


def _with_old_base(cls, **kwargs):
    super(_New, cls).__init_subclass__(**kwargs)
    if "get_updates" in vars(cls):
        note("optimizers with get_updates")
        cls.__bases__ = tuple(_OLD.get(base, base) for base in cls.__bases__)
        cls.get_updates = _reading_before_updates(cls.get_updates)


def _reading_before_updates(get_updates):
    """Update variables after all new values are known, of which some are computed from others.

    TensorFlow 1 read its variables first; today's are read in any order.
    """

    @functools.wraps(get_updates)
    def call(self, loss, params):
        functions = {name: getattr(backend, name) for name in _UPDATES}
        vars(backend).update(_UPDATES)
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
