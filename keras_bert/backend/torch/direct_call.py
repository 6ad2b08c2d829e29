"""Calling a layer on PyTorch without what Keras does around the call of any layer."""

import functools

import torch

from .. import plain, private
from ..parts import keras


class LayerCall(plain.LayerCall):
    """Mixin for layers whose `call` takes tensors, and perhaps `mask` and `training`.

    Keras takes a quarter of a millisecond to convert, flatten and pack the arguments of every call.
    Here, in a running model, `call` gets the `mask` and the `training` that Keras would give it, in
    the same scopes, and the output gets its mask. Whatever is not as usual (symbolic or compiled
    tensors, another dtype, hooks, quantized layers …) is left to Keras.
    """

    if private.calls_can_be_direct():

        def __call__(self, *args, **kwargs):
            context = private.current_call()
            if context is None or not _is_usual_call(self, args, kwargs):
                return super().__call__(*args, **kwargs)
            (inputs,) = args
            accepted = private.call_parameters(self)
            training = _training(kwargs, context, accepted)
            if not (training is None or isinstance(training, bool)):
                return super().__call__(*args, **kwargs)
            context.set_value("training", training)
            mask = _map(private.mask_of, inputs)
            offered = {"mask": mask, "training": training}
            arguments = {name: offered[name] for name in offered if name in accepted}
            with private.name_scope(self):
                outputs = _call(self, _map(lambda tensor: tensor, inputs), arguments)
            private.set_masks(self, inputs, outputs, mask)
            return outputs


def _is_usual_call(layer, args, kwargs) -> bool:
    """Whether Keras would do no more about arguments than to find out `mask` and `training`."""
    if len(args) != 1 or not private.is_called_plainly(layer):
        return False
    (inputs,) = args
    accepted = private.call_parameters(layer)
    return (
        kwargs.keys() <= {"mask", "training"}
        and kwargs.get("mask") is None
        and ("mask" in accepted or "mask" not in kwargs)
        and not any(map(traced, _listed(inputs)))
        and layer.built
        and _has_type_to_compute_in(layer, inputs)
        and _variables_have_type_to_compute_in(layer)
        and layer.supports_masking
        and layer.input_spec is None
        and layer.activity_regularizer is None
        and not is_changed(layer)
        and keras.distribution.distribution() is None
    )


def traced(tensor) -> bool:
    """Whether PyTorch does anything else with a tensor than compute what it is told.

    That is to compile or export, to transform functions, to look at shapes alone, or to divide
    tensors among devices.
    """
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or private.is_transformed(tensor)
    )


def is_changed(layer) -> bool:
    """Whether PyTorch or Keras do something else than `call` where a layer is called."""
    return private.is_hooked(layer) or getattr(layer, "quantization_mode", None) is not None


def _has_type_to_compute_in(layer, inputs) -> bool:
    kind = getattr(torch, layer.compute_dtype)
    return all(each.dtype == kind or not each.is_floating_point() for each in _listed(inputs))


def _variables_have_type_to_compute_in(layer) -> bool:
    scope = private.autocast_scope()
    if scope is None:
        return layer.compute_dtype == layer.variable_dtype
    return layer.autocast and scope.dtype == layer.compute_dtype


def _training(kwargs, context, accepted):
    """As Keras has it: what is passed, else what holds in the model's call, else the default."""
    if "training" in kwargs:
        return kwargs["training"]
    training = context.get_value("training")
    if training is None and "training" in accepted:
        return accepted["training"].default
    return training


def _call(layer, inputs, arguments):
    """Call `layer.call`; errors say what Keras says of its arguments."""
    try:
        return layer.call(inputs, **arguments)
    except Exception as error:
        fail = functools.wraps(layer.call)(functools.partial(_raise, error))
        fail = private.with_arguments_in_errors(fail, f"{type(layer).__name__}.call()")
        return fail(inputs, **arguments)


def _raise(error, *args, **kwargs):
    raise error


def _map(function, inputs):
    """Apply a function to a tensor, or to all in a new list or tuple."""
    if type(inputs) in (list, tuple):
        return type(inputs)(map(function, inputs))
    return function(inputs)


def _listed(inputs):
    return inputs if type(inputs) in (list, tuple) else [inputs]
