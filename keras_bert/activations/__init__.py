"""Activations under names that cannot be taken for each other: above all the two forms of GELU.

The string "gelu" means the tanh form in Google's checkpoints and in files written by keras-bert
0.8x, and the erf form in Keras and in Hugging Face's configurations. Here both forms are functions
whose own names, `gelu_tanh` and `gelu_erf`, are what a saved file holds.

Reference: Hendrycks and Gimpel, Gaussian Error Linear Units, https://arxiv.org/abs/1606.08415
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend
from ..backend import activations, ops, serializable
from .keras_2 import hard_sigmoid_keras_2 as hard_sigmoid_keras_2


@serializable
def gelu_tanh(x: Any) -> Any:
    """GELU by its tanh approximation: `0.5·x·(1 + tanh(sqrt(2/π)·(x + 0.044715·x³)))`.

    Args:
        x: Tensor of any shape.

    Returns:
        Tensor of the shape and dtype of `x`.
    """
    return ops.gelu(x, approximate=True)


@serializable
def gelu_erf(x: Any) -> Any:
    """GELU in its exact form: `0.5·x·(1 + erf(x / sqrt(2)))`; otherwise as `gelu_tanh`."""
    return backend.gelu_erf(x)


gelu = gelu_tanh
# What PyTorch calls the two.
gelu_tanh.gelu_form, gelu_erf.gelu_form = "tanh", "none"  # type: ignore[attr-defined]

_TANH_NAMES = ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_tanh")
_BY_NAME = dict.fromkeys(_TANH_NAMES, gelu_tanh) | {"gelu_erf": gelu_erf}


def get(identifier: Any) -> Callable:
    """Resolve an activation as BERT's builders and layers mean it.

    Args:
        identifier: None, a callable, a serialized activation, or a name: any that Keras knows, with
            "gelu", "gelu_new" and "gelu_pytorch_tanh" meaning the tanh form and "gelu_erf" the
            exact one.

    Returns:
        A callable; the identity for None. Keras' own `gelu` function is returned as `gelu_erf`, so
        that it is saved under that name.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> from keras_bert import activations
        >>> activations.get("gelu").__name__, activations.get("gelu_erf").__name__
        ('gelu_tanh', 'gelu_erf')
    """
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    if isinstance(identifier, dict) and identifier.get("config") in ("gelu_tanh", "gelu_erf"):
        return _BY_NAME[identifier["config"]]  # as 1.0.0 wrote them on Keras 2
    function = activations.get(identifier)
    return gelu_erf if function is activations.gelu else function
