"""Every private name of Keras 3 and PyTorch that this package uses, and nothing else uses them.

Private names may go with any release. They are tried here before anything rests on them; where one
has gone, Keras' own way is taken, which is slower, or there is an error where numbers would be
wrong. (Keras 2, which changes no more, has its own in `keras_2`.)
"""

from functools import cache

from .parts import keras, layers

# Masks of tensors


def mask_of(tensor):
    """The mask that Keras has put on a tensor, or None; an error where it cannot be found."""
    if not masks_are_found():
        raise NotImplementedError(
            f"Keras {keras.__version__} keeps the masks of tensors where keras_bert does not find "
            "them. Train on one device, or install the newest version that keras_bert is tested "
            "with."
        )
    return getattr(tensor, "_keras_mask", None)


@cache
def masks_are_found() -> bool:
    """Whether Keras keeps the masks of tensors where `mask_of` looks for them."""
    masked = layers.Masking(name="probe", dtype="float32")(_symbol(1, 2, 3))
    return getattr(masked, "_keras_mask", None) is not None


def _symbol(*shape: int):
    # With a name, lest the tensors of users' models are numbered differently. (What is tried names
    # its dtype, too: otherwise Keras settles for a policy, and `set_floatx` changes none any more.)
    return keras.KerasTensor(shape, name="probe")


# Calls of layers, as Keras 3 makes them


def current_call():
    """What Keras notes about the call of a model in which it now calls layers, or None."""
    return _get_global_attribute("current_call_ctx")


def call_parameters(layer):
    """The parameters of a layer's `call` by name, as `inspect` has them."""
    return layer._call_signature.parameters


def is_called_plainly(layer) -> bool:
    """Whether Keras' own call of a layer does no more than usual."""
    return layer._called and layer._call_context_args == {"training"} and layer._remat_mode is None


def name_scope(layer):
    """The scope in which Keras calls a layer."""
    return layer._open_name_scope()


def set_masks(layer, inputs, outputs, masks) -> None:
    """Put the masks that a layer computes on its outputs."""
    layer._set_mask_metadata(inputs, outputs, masks)


try:
    # Other modules use the scope in which variables that are read are cast, and what adds to a
    # function's errors what Keras says of the arguments of a layer's call.
    from keras.src.backend import get_autocast_scope as autocast_scope  # noqa: F401
    from keras.src.backend.common.global_state import get_global_attribute as _get_global_attribute
    from keras.src.utils.traceback_utils import (  # noqa: F401
        inject_argument_info_in_traceback as with_arguments_in_errors,
    )

    _functions_are_found = True
except ImportError:
    _functions_are_found = False


class _Probe(layers.Layer):
    """Tells whether Keras notes a call under the name by which it is looked for."""

    def call(self, inputs, training=None):
        self.noted = _functions_are_found and current_call() is not None
        return inputs


@cache
def calls_can_be_direct() -> bool:
    """Whether all names of this section mean what they did."""
    layer = _Probe(name="probe", dtype="float32")
    layer(_symbol(1, 1))
    names = (
        *("_call_signature", "_called", "_call_context_args", "_remat_mode"),
        *("_open_name_scope", "_set_mask_metadata"),
    )
    return (
        layer.noted
        and masks_are_found()
        and all(hasattr(layer, name) for name in names)
        and is_called_plainly(layer)
    )


# Graphs of functional models


def nodes(model) -> list | None:
    """The calls of layers that make up a functional model, in order; None if Keras hides them."""
    by_depth = getattr(model, "_nodes_by_depth", None)
    if by_depth is None:
        return None
    return [
        node
        for depth in sorted(by_depth, reverse=True)
        for node in by_depth[depth]
        if not node.is_input
    ]


# Optimizers


def variable_index(optimizer, variable) -> int:
    """The position of a variable among those that an optimizer was built with."""
    index = getattr(optimizer, "_get_variable_index", None)
    return optimizer.indices[id(variable)] if index is None else index(variable)


class UpdatesAtOnce:
    """Mixin for optimizers that have an `update_all` of gradients, variables and learning rate.

    Keras calls it where it has this hook, and otherwise `update_step` for one variable after the
    other, which must do the same.
    """

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        self.update_all(grads, trainable_variables, learning_rate)


# PyTorch


def is_hooked(layer) -> bool:
    """Whether PyTorch does something beside `forward` where it calls a layer."""
    from torch.nn.modules import module

    return (
        any(getattr(layer, name, True) for name in _HOOKS)
        or any(getattr(module, f"_global{name}", True) for name in _HOOKS)
        or getattr(layer, "_compiled_call_impl", True) is not None
    )


_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def is_transformed(tensor) -> bool:
    """Whether PyTorch transforms functions of a tensor (`torch.func`, `is_grads_batched`)."""
    import torch

    transforms_active = getattr(torch._C, "_are_functorch_transforms_active", bool)
    functorch = getattr(torch._C, "_functorch", None)
    is_batched = getattr(functorch, "is_legacy_batchedtensor", lambda tensor: False)
    return transforms_active() or is_batched(tensor)


def int8_product():
    """PyTorch's product of matrices (B·T, D) and (D, N) of int8 in int32, or None."""
    import torch

    return getattr(torch, "_int_mm", None)
