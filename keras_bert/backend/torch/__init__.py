"""What PyTorch does otherwise than `plain`."""

from __future__ import annotations

import torch
from torch import distributed
from torch.nn.functional import layer_norm

from ..parts import ops
from .direct_call import LayerCall
from .dropout import drop
from .positions import needed_positions, pick_rows, spread_rows
from .prediction import predictor
from .update import FusedUpdate


def on_accelerator() -> bool:
    """Whether a GPU computes where nobody says otherwise."""
    return ops.convert_to_tensor(0).device.type != "cpu"


def limit_threads(count: int) -> None:
    """Compute with a number of threads."""
    torch.set_num_threads(count)


def has_replicas() -> bool:
    """Whether several processes train together; not while they evaluate, each on its own."""
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
        and torch.is_grad_enabled()
    )


def replica_mean(count):
    """The mean of a number over the processes of the default group."""
    mean = count / distributed.get_world_size()
    distributed.all_reduce(mean)
    return mean


def gelu_erf(x):
    """GELU in its exact form."""
    return ops.gelu(x, approximate=False)


def reshape(tensor, shape):
    """A tensor in another shape; `ops.reshape` takes as long as a product of a short text does."""
    return tensor.reshape(shape)


def project(dense, rows):
    """What a Dense layer makes of rows; the product adds the bias, not Keras after it.

    A quantized layer has products of its own.
    """
    if dense.bias is None or dense.quantization_mode is not None:
        return dense(rows)
    rows = ops.cast(rows, dense.compute_dtype)
    bias, kernel = (_weight_for(rows, weight) for weight in (dense.bias, dense.kernel))
    projected = torch.addmm(bias, rows, kernel)
    return projected if dense.activation is None else dense.activation(projected)


def attend(query, key, value, bias):
    """Scaled dot-product attention by PyTorch's own operation."""
    return ops.dot_product_attention(query, key, value, bias)


def normalize(features, gamma, beta, epsilon, training):
    """The operation that Keras uses, without copies of 16-bit features: it computes in float32."""
    if not features.is_floating_point():
        return None
    gamma, beta = (_weight_for(features, weight) for weight in (gamma, beta))
    return layer_norm(features, features.shape[-1:], gamma, beta, epsilon)


def _weight_for(features, weight):
    """A variable's tensor in the type and on the device of features.

    Args:
        features: The tensor it is used with.
        weight: A Keras variable, or a tensor that is computed from several.
    """
    return getattr(weight, "value", weight).to(features)
