"""A function of TensorFlow that computes the batches of an extraction."""

from __future__ import annotations

import weakref

import tensorflow as tf

from ..kept import is_patched, made_once
from ..plain import Predictor
from .devices import on_accelerator

# Stateful operations that change nothing.
_READING = {"ReadVariableOp", "ResourceGather", "Assert"}

_predictors: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def predictor(model, of_known_layers: bool) -> Predictor:
    """A function traced once, for all shapes that the model takes, or `model.predict_on_batch`.

    Keras 3 traces its own function twice, in the thread that calls it. On accelerators it is as
    fast and supports XLA, so that it is kept.
    """
    if (
        of_known_layers
        and not is_patched(model)
        and not model.jit_compile
        and not on_accelerator()
        and not model.run_eagerly
        and model.distribute_strategy.num_replicas_in_sync == 1
    ):
        return traced_predictor(model)
    return Predictor(model.predict_on_batch)


def traced_predictor(model) -> Predictor:
    """A function of the arrays, traced once, here, for all shapes that the model takes."""
    model.make_predict_function()
    key = model.predict_function  # a key alone: Keras makes a new one when a model is compiled
    return made_once(_predictors, key, model, _trace)


def _trace(model) -> Predictor:
    this = weakref.ref(model)  # or the entry would keep its own key, Keras' function, alive
    function = tf.function(
        lambda *arrays: this().predict_step((arrays,)),
        input_signature=[tf.TensorSpec((None, *each.shape[1:]), "int32") for each in model.inputs],
    ).get_concrete_function()
    threads = 2 if _may_be_shared(function) else 1
    return Predictor(lambda arrays: function(*arrays), threads=lambda: threads)


def _may_be_shared(function) -> bool:
    """Whether two threads should call a function of TensorFlow at a time.

    One call leaves a tenth to a fifth of two cores idle. What draws random numbers or changes
    variables stays in order.
    """
    return not on_accelerator() and all(
        operation.type in _READING or not operation.op_def.is_stateful
        for operation in function.graph.get_operations()
    )
