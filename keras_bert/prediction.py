"""A model's numbers for one batch after the other."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from .backend import TF_KERAS, models

_functions: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def predictor(model) -> Callable:
    """What computes a batch: `model.predict_on_batch`, or what Keras 2 should do there.

    Keras 2 builds a data set of the batch and, dropping it, waits a tenth of a second in about half
    of the calls. A function of the arrays, made once for a model, spares that.
    """
    if not TF_KERAS or not isinstance(model, models.Model):
        return model.predict_on_batch
    if model.run_eagerly or model.distribute_strategy.num_replicas_in_sync > 1:
        return model.predict_on_batch
    if model not in _functions:
        import tensorflow as tf

        this = weakref.ref(model)  # or the model, the key, would live as long as its function
        _functions[model] = tf.function(
            lambda arrays: this().predict_step((arrays,)), reduce_retracing=True
        )
    function = _functions[model]
    return lambda arrays: function(tuple(arrays))
