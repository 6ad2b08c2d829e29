"""Activations by the paths of PyTorch's classes, as folders of sentence-transformers name them.

Source: the formulas in https://docs.pytorch.org/docs/stable/nn.html, with the defaults there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backend import activations, ops, serializable
from . import gelu_erf


@serializable
def hard_sigmoid_torch(x: Any) -> Any:
    """`x / 6 + 1/2`, cut to 0 … 1; Keras 2 has another function by the name `hard_sigmoid`."""
    return _clip(x / 6 + 0.5, 0, 1)


@serializable
def hard_swish(x: Any) -> Any:
    """`x · hard_sigmoid_torch(x)`."""
    return x * hard_sigmoid_torch(x)


@serializable
def hard_tanh(x: Any) -> Any:
    """`x`, cut to −1 … 1."""
    return _clip(x, -1, 1)


@serializable
def relu6(x: Any) -> Any:
    """`x`, cut to 0 … 6."""
    return _clip(x, 0, 6)


@serializable
def leaky_relu_torch(x: Any) -> Any:
    """`x` where it is positive, and else a hundredth of it; Keras takes a fifth."""
    return ops.maximum(x, 0.01 * x)


@serializable
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`."""
    return -activations.softplus(-x)


@serializable
def tanh_shrink(x: Any) -> Any:
    """`x − tanh(x)`."""
    return x - activations.tanh(x)


@serializable
def soft_shrink(x: Any) -> Any:
    """`x`, moved by 1/2 towards 0, and 0 between."""
    return x - _clip(x, -0.5, 0.5)


@serializable
def hard_shrink(x: Any) -> Any:
    """`x` where it is further than 1/2 from 0, and else 0."""
    return ops.where(ops.abs(x) > 0.5, x, ops.zeros_like(x))


def _clip(x, least, most):
    return ops.minimum(ops.maximum(x, ops.cast(least, x.dtype)), ops.cast(most, x.dtype))


_ACTIVATION = "torch.nn.modules.activation."
_BY_CLASS = {
    "torch.nn.modules.linear.Identity": activations.linear,
    f"{_ACTIVATION}CELU": activations.elu,  # with the default of `alpha`, 1, they are the same
    f"{_ACTIVATION}ELU": activations.elu,
    f"{_ACTIVATION}GELU": gelu_erf,
    f"{_ACTIVATION}Hardshrink": hard_shrink,
    f"{_ACTIVATION}Hardsigmoid": hard_sigmoid_torch,
    f"{_ACTIVATION}Hardswish": hard_swish,
    f"{_ACTIVATION}Hardtanh": hard_tanh,
    f"{_ACTIVATION}LeakyReLU": leaky_relu_torch,
    f"{_ACTIVATION}LogSigmoid": log_sigmoid,
    f"{_ACTIVATION}Mish": activations.mish,
    f"{_ACTIVATION}ReLU": activations.relu,
    f"{_ACTIVATION}ReLU6": relu6,
    f"{_ACTIVATION}SELU": activations.selu,
    f"{_ACTIVATION}SiLU": activations.swish,
    f"{_ACTIVATION}Sigmoid": activations.sigmoid,
    f"{_ACTIVATION}Softplus": activations.softplus,
    f"{_ACTIVATION}Softshrink": soft_shrink,
    f"{_ACTIVATION}Softsign": activations.softsign,
    f"{_ACTIVATION}Tanh": activations.tanh,
    f"{_ACTIVATION}Tanhshrink": tanh_shrink,
}


def by_torch_name(path: str) -> Callable | None:
    """The activation that a class of PyTorch computes with its defaults; None for others."""
    parts = path.split(".")
    if parts[:2] != ["torch", "nn"]:
        return None
    for known, function in _BY_CLASS.items():
        if known.split(".")[-1] == parts[-1]:  # `torch.nn.Tanh` is the same class
            return function
    return None


def torch_name_of(activation: Callable | None) -> str | None:
    """The path of the class that computes an activation; None where PyTorch has none."""
    if activation is None:
        activation = activations.linear
    found = [path for path, function in _BY_CLASS.items() if function is activation]
    return found[-1] if found else None
