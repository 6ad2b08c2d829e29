"""What "gelu" means in a configuration, which depends on who wrote the file."""

from __future__ import annotations

from typing import Any

from ..checkpoints import Checkpoint
from .configuration import is_hugging_face

_TANH_NAMES = ("gelu_new", "gelu_pytorch_tanh", "gelu_tanh")
_ERF_NAMES = ("gelu_erf", "gelu_python")


def activation_name(config: dict[str, Any], checkpoint: Checkpoint | None = None) -> str:
    """Name the activation of a configuration so that it has one meaning only.

    "gelu" alone is the tanh form in Google's code and the exact one in Hugging Face's.

    Args:
        config: A configuration.
        checkpoint: Its weights, where they are known: the program that wrote them decides, which
            is Google's for a TensorFlow checkpoint. Without them the configuration's keys decide.

    Returns:
        "gelu_tanh", "gelu_erf", or another name as it stands in the configuration.
    """
    name = config["hidden_act"]
    if name == "gelu":
        if checkpoint is None:
            by_google = not is_hugging_face(config)
        else:
            by_google = checkpoint.format == "tensor_bundle"
        return "gelu_tanh" if by_google else "gelu_erf"
    if name in _TANH_NAMES:
        return "gelu_tanh"
    return "gelu_erf" if name in _ERF_NAMES else name
