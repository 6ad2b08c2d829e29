"""A model's numbers for one batch after the other."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .any_length import consists_of_known_layers, made_once
from .backend import ENGINE, TF_KERAS, models, on_accelerator, ops
from .layers.direct_call import is_changed


class Predictor(NamedTuple):
    """What computes batches of a model."""

    call: Callable  # of token ids and segment ids, int32 (B, T): features
    threads: int = 1  # how many should call it at a time


def predictor(model) -> Predictor:
    """What computes a batch: `model.predict_on_batch`, or the same with less around it."""
    if ENGINE == "tensorflow" and _is_worth_tracing(model):
        return _tensorflow_predictor(model)
    if ENGINE == "torch":
        calls = _layer_calls(model)
        if calls is not None:
            return Predictor(lambda arrays: _run_on_torch(model, calls, arrays))
    return Predictor(model.predict_on_batch)


def _is_worth_tracing(model) -> bool:
    """Whether a function traced here should take the place of `model.predict_on_batch`."""
    if TF_KERAS:
        may_take = isinstance(model, models.Model)
    else:  # Keras 3's own function is as fast on GPUs, and knows XLA
        may_take = (
            consists_of_known_layers(model)
            and not _is_patched(model)
            and not model.jit_compile
            and not on_accelerator()
        )
    return (
        may_take and not model.run_eagerly and model.distribute_strategy.num_replicas_in_sync == 1
    )


def _tensorflow_predictor(model) -> Predictor:
    """A function of the arrays, traced once, here, for all shapes that the model takes.

    Keras 3 traces its own twice, in whatever thread it is called in. Keras 2 builds a data set of
    the batch and, dropping it, waits a tenth of a second in about half of the calls.
    """
    model.make_predict_function()
    key = model.predict_function  # not called, but made anew by Keras where a model is compiled
    return made_once(_predictors, key, model, _trace)


_predictors: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _trace(model) -> Predictor:
    import tensorflow as tf

    this = weakref.ref(model)  # or Keras' function, the key, would live as long as this one
    function = tf.function(
        lambda *arrays: this().predict_step((arrays,)),
        input_signature=[tf.TensorSpec((None, *each.shape[1:]), "int32") for each in model.inputs],
    ).get_concrete_function()
    return Predictor(lambda arrays: function(*arrays), 2 if _may_be_shared(function) else 1)


# Stateful operations that change nothing.
_READING = {"ReadVariableOp", "ResourceGather", "Assert"}


def _may_be_shared(function) -> bool:
    """Whether two threads should call a function of TensorFlow at a time.

    One call leaves a tenth to a fifth of two cores idle. What draws random numbers or changes
    variables stays in order.
    """
    return not on_accelerator() and all(
        operation.type in _READING or not operation.op_def.is_stateful
        for operation in function.graph.get_operations()
    )


class _LayerCall(NamedTuple):
    """A layer in its place; tensors are known by numbers."""

    layer: Any
    takes_mask: bool
    inputs: int | list[int]
    outputs: list[int]
    done_with: list[int]  # what no later layer reads


def _layer_calls(model) -> list[_LayerCall] | None:
    """The layers of an encoder in order; None for other models and for mixed precision.

    On PyTorch, Keras needs a quarter of a millisecond around every layer of every call, which for
    short texts is more than the layer itself, and keeps all features to the end.
    """
    if not consists_of_known_layers(model) or model.jit_compile:
        return None
    if any(is_changed(layer) or _is_patched(layer) for layer in [model, *model.layers]):
        return None
    nodes = [
        node
        for depth in sorted(model._nodes_by_depth, reverse=True)
        for node in model._nodes_by_depth[depth]
        if not node.is_input
    ]
    dtypes = {
        dtype
        for node in nodes
        for dtype in (node.operation.compute_dtype, node.operation.variable_dtype)
    }
    if len(dtypes) > 1:
        return None  # Keras casts features on their way
    last_reader = {id(tensor): node for node in nodes for tensor in node.input_tensors}
    last_reader.update({id(tensor): None for tensor in model.outputs})
    calls = []
    for node in nodes:
        arguments, keywords = node.arguments.args, node.arguments.kwargs
        is_usual = all(value is None or value is False for value in keywords.values())
        if len(arguments) != 1 or not is_usual:
            return None  # a given mask, or dropout that goes on
        (inputs,) = arguments
        calls.append(
            _LayerCall(
                node.operation,
                "mask" in inspect.signature(node.operation.call).parameters,
                list(map(id, inputs)) if isinstance(inputs, (list, tuple)) else id(inputs),
                list(map(id, node.outputs)),
                [key for key in map(id, node.input_tensors) if last_reader[key] is node],
            )
        )
    return calls


def _is_patched(layer) -> bool:
    """Whether an instance has something else than its class says."""
    return not {"call", "compute_mask", "predict_on_batch", "predict_step"}.isdisjoint(vars(layer))


def _run_on_torch(model, calls: list[_LayerCall], arrays) -> np.ndarray:
    """What `predict_on_batch` gives for token ids and segment ids (B, T), in float32 at least."""
    import torch

    features = {
        id(tensor): ops.convert_to_tensor(array)
        for tensor, array in zip(model.inputs, arrays, strict=True)
    }
    masks = dict.fromkeys(features)
    with torch.no_grad():
        for layer, takes_mask, inputs, outputs, done_with in calls:
            given, mask = (
                [each[key] for key in inputs] if isinstance(inputs, list) else each[inputs]
                for each in (features, masks)
            )
            results = layer.call(given, mask=mask) if takes_mask else layer.call(given)
            mask = layer.compute_mask(given, mask)
            if len(outputs) == 1:
                results, mask = [results], [mask]
            features.update(zip(outputs, results, strict=True))
            masks.update(zip(outputs, mask, strict=True))
            for key in done_with:
                features.pop(key, None)
        result = features[id(model.outputs[0])]
        # Keras would make a NumPy array of 16-bit floats, which takes as long as some layers.
        return (result.float() if result.dtype.itemsize == 2 else result).cpu().numpy()
