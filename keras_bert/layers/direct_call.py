"""Calling a layer on PyTorch without what Keras does around the call of any layer."""

from __future__ import annotations

from ..backend import ENGINE, keras, traced

if ENGINE == "torch":
    import torch

    try:
        from keras.src.backend import get_autocast_scope
        from keras.src.backend.common.global_state import get_global_attribute
    except ImportError:  # private names, which may go one day; then Keras does every call
        get_global_attribute = None


class DirectCall:
    """Mixin for layers whose `call` takes tensors, and perhaps `mask` and `training`.

    On PyTorch, Keras takes a quarter of a millisecond to convert, flatten and pack the arguments of
    every call. For twelve encoder layers that makes 25 ms, more than a GPU needs to compute them.
    Here, in a running model, `call` gets the mask and the `training` that Keras would give it, and
    the output its mask. Hooks of PyTorch are called as ever. Whatever is not as usual (symbolic
    tensors, another dtype, quantized layers …) is left to Keras, and so is everything on other
    runtimes, which compile a model once.
    """

    if ENGINE == "torch" and get_global_attribute is not None:

        def __call__(self, *args, **kwargs):
            context = get_global_attribute("current_call_ctx")  # of the model's call
            if context is None or not _is_usual_call(self, args, kwargs):
                return super().__call__(*args, **kwargs)
            training = kwargs["training"] if "training" in kwargs else context.get_value("training")
            if training is None:  # `call` may have a default
                return super().__call__(*args, **kwargs)
            context.set_value("training", training)
            (inputs,) = args
            mask = _masks(inputs)
            arguments = {"mask": mask, "training": training}
            for name in arguments.keys() - self._call_signature.parameters.keys():
                del arguments[name]
            outputs = torch.nn.Module.__call__(self, inputs, **arguments)
            _set_masks(self, inputs, mask, outputs)
            return outputs

        def forward(self, *args, **kwargs):
            """What PyTorch calls between the hooks."""
            if _is_plain(self, args):
                try:
                    return self.call(*args, **kwargs)
                except Exception:  # the same again, for Keras' message with layer and arguments
                    pass
            return super().forward(*args, **kwargs)


def _is_usual_call(layer, args, kwargs) -> bool:
    """Whether Keras would do nothing but find out `mask` and `training`."""
    if not kwargs.keys() <= {"mask", "training"} or kwargs.get("mask") is not None:
        return False
    return (
        layer.built
        and _is_plain(layer, args)
        and _needs_no_cast(layer, args[0])
        and layer.supports_masking
        and layer.input_spec is None
        and layer.activity_regularizer is None
        and getattr(layer, "_call_context_args", None) == {"training"}
        and hasattr(layer, "_call_signature")
        and keras.distribution.distribution() is None
    )


def _is_plain(layer, args) -> bool:
    """Whether `call` itself is to be called, with tensors that can be computed with."""
    if getattr(layer, "_remat_mode", None) or getattr(layer, "quantization_mode", None):
        return False
    return len(args) == 1 and not any(map(traced, _listed(args[0])))


def _needs_no_cast(layer, inputs) -> bool:
    """Whether inputs and variables have the type to compute in, or get it from the model's call."""
    kind = getattr(torch, layer.compute_dtype)
    if not all(each.dtype == kind or not each.is_floating_point() for each in _listed(inputs)):
        return False
    scope = get_autocast_scope()
    if scope is None or scope.dtype is None:
        return layer.compute_dtype == layer.variable_dtype
    return layer.autocast and scope.dtype == layer.compute_dtype


def _masks(inputs):
    """The mask that Keras has put at a tensor, or a list of them."""
    if isinstance(inputs, (list, tuple)):
        return [getattr(each, "_keras_mask", None) for each in inputs]
    return getattr(inputs, "_keras_mask", None)


def _set_masks(layer, inputs, mask, outputs) -> None:
    """Put the masks of outputs where Keras looks for them."""
    outputs = _listed(outputs)
    if all(getattr(output, "_keras_mask", None) is not None for output in outputs):
        return
    masks = layer.compute_mask(inputs, mask)
    for output, mask in zip(outputs, _listed(masks), strict=False):
        if mask is not None and getattr(output, "_keras_mask", None) is None:
            output._keras_mask = mask


def _listed(value):
    return value if isinstance(value, (list, tuple)) else [value]
