"""The layers of an encoder, called one after the other, for the batches of an extraction."""

from __future__ import annotations

import functools
import inspect
from threading import Lock, Thread
from typing import Any, NamedTuple

import numpy as np
import torch

from .. import plain, private
from ..kept import is_patched
from ..parts import ops
from ..plain import Predictor
from .direct_call import is_changed


def predictor(model, of_known_layers: bool) -> Predictor:
    """The model's layers, called one after the other, or `model.predict_on_batch`."""
    calls = _layer_calls(model) if of_known_layers else None
    if calls is None:
        return plain.predictor(model, of_known_layers)
    return Predictor(lambda arrays: _run(model, calls, arrays), _fetch, _thread_num, _begin_thread)


# How many threads compute a batch each. Two have what one leaves idle: operations of a few
# microseconds, and oneDNN's 16-bit products, of which some use a single core.
_THREADS = 2

_setting_threads = Lock()


def _thread_num() -> int:
    """How many, unless the caller's thread has set what others would not have."""
    if torch.accelerator.is_available() or torch.is_autocast_enabled("cpu"):
        return 1
    return _THREADS if torch.get_num_threads() >= _THREADS else 1


def _begin_thread():
    """What limits a thread to its share of the cores that the caller's thread computes with."""
    return functools.partial(_limit_this_thread, torch.get_num_threads() // _THREADS)


def _limit_this_thread(count: int) -> None:
    """Compute with a number of cores in this thread, and leave others theirs.

    `set_num_threads` is for the thread that calls it, and for those that begin afterwards.
    """
    with _setting_threads:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        later_threads = Thread(target=torch.set_num_threads, args=(before,))
        try:
            later_threads.start()
            later_threads.join()
        except RuntimeError:  # no thread can be started any more
            torch.set_num_threads(before)


class _LayerCall(NamedTuple):
    """A layer in its position; tensors are known by numbers."""

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
    if len(model.outputs) != 1:
        return None
    changed = any(is_changed(layer) or is_patched(layer) for layer in [model, *model.layers])
    nodes = private.nodes(model)
    if model.jit_compile or changed or nodes is None:
        return None
    dtypes = {
        dtype
        for node in nodes
        if node.operation.autocast
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


def _run(model, calls: list[_LayerCall], arrays) -> torch.Tensor:
    """What `predict_on_batch` gives for token ids and segment ids (B, T), as a tensor."""
    tensors = _to_device(arrays)
    features = {id(given): each for given, each in zip(model.inputs, tensors, strict=True)}
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
        return result.float() if result.dtype.itemsize == 2 else result


def _to_device(arrays) -> list[torch.Tensor]:
    """Tensors of arrays. A copy to a GPU is not waited for, which takes pinned memory."""
    device = ops.convert_to_tensor(np.zeros(0, "int32")).device
    if device.type != "cuda":
        return [ops.convert_to_tensor(array) for array in arrays]
    pinned = [torch.from_numpy(array).pin_memory() for array in arrays]
    return [each.to(device, non_blocking=True) for each in pinned]


def _fetch(outputs: list[torch.Tensor]) -> list[np.ndarray]:
    return [each.cpu().numpy() for each in outputs]
