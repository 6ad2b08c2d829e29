"""What PyTorch does otherwise than `plain`."""

import torch
from torch import distributed
from torch.nn.functional import layer_norm, scaled_dot_product_attention

from .. import plain
from ..parts import ops
from .direct_call import LayerCall, traced
from .int8 import is_int8, project_int8
from .prediction import predictor
from .update import FusedUpdate

# How many numbers `drop` draws from.
_RANDOM_NUMBERS = 2**16

# Above this share of positions, picking them out takes longer than computing the others.
_MOST_POSITIONS = 0.9


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


def lookup(table, ids):
    """Rows of a table; a GPU would stop for good at ids outside it."""
    if ids.device.type == "cpu" and not traced(ids):
        return ops.take(table, ids, axis=0)
    count = table.shape[0]
    return plain.nan_outside(ops.take(table, ids.clamp(0, count - 1), axis=0), ids, count)


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
    is_cpu = rows.device.type == "cpu" and not rows.requires_grad  # Keras has the gradient
    if (is_cpu or torch.jit.is_tracing()) and is_int8(dense):
        return project_int8(dense, rows)
    if dense.bias is None or dense.quantization_mode is not None:
        return dense(rows)
    rows = ops.cast(rows, dense.compute_dtype)
    bias, kernel = (_weight_for(rows, weight) for weight in (dense.bias, dense.kernel))
    projected = torch.addmm(bias, rows, kernel)
    if dense.activation is None:
        return projected
    form = getattr(dense.activation, "gelu_form", None)
    if form is not None and not projected.requires_grad and not traced(projected):
        # In the memory of the product, which nobody else has: new memory takes as long as GELU.
        return torch.ops.aten.gelu_(projected, approximate=form)
    return dense.activation(projected)


def attend(query, key, value, bias):
    """Scaled dot-product attention by PyTorch's own operation, on a CPU without Keras' copies.

    (Elsewhere PyTorch has been wrong without them: issue 163597, on Apple's GPUs.)
    """
    if query.device.type != "cpu":
        return ops.dot_product_attention(query, key, value, bias)
    bias = None if bias is None else bias.to(query.dtype)
    query, key, value = (each.transpose(1, 2) for each in (query, key, value))
    return scaled_dot_product_attention(query, key, value, bias).transpose(1, 2)


def normalize(features, gamma, beta, epsilon, training):
    """The operation that Keras uses, without copies of 16-bit features: it computes in float32."""
    if not features.is_floating_point():
        return None
    shape = tuple(gamma.shape)  # that of features is no constant where PyTorch traces
    gamma, beta = (_weight_for(features, weight) for weight in (gamma, beta))
    return layer_norm(features, shape, gamma, beta, epsilon)


def drop(features, rate):
    """Dropout on a CPU by 16 random bits a feature, which PyTorch's global generator gives.

    PyTorch itself draws 32 bits and rounds each to 0 or 1 by itself. The rate is met to 1 in
    65,536, and what is kept is scaled by the rate met.
    """
    dropped = round(rate * _RANDOM_NUMBERS)
    if not 0 < dropped < _RANDOM_NUMBERS or features.device.type != "cpu" or traced(features):
        return None
    count = features.numel()
    drawn = features.new_empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    numbers = drawn.view(torch.int16)[:count].view(features.shape)
    kept = features.new_empty(features.shape)
    torch.ge(numbers, dropped - _RANDOM_NUMBERS // 2, out=kept)
    return features * kept.mul_(_RANDOM_NUMBERS / (_RANDOM_NUMBERS - dropped))


def needed_positions(features, mask, needed_len):
    """Which positions to compute, on a CPU."""
    if needed_len is None or mask is None:
        return None
    if features.ndim != 3 or mask.ndim != 2 or mask.device.type != "cpu" or traced(mask):
        return None
    mask = mask.bool()
    needed = mask | ~mask.any(dim=1, keepdim=True)
    needed[:, :needed_len] = True
    positions = needed.reshape(-1).nonzero()[:, 0]
    return positions if len(positions) < _MOST_POSITIONS * needed.numel() else None


def pick_rows(rows, positions):
    """The rows of a matrix (B·T, D) at positions."""
    return rows if positions is None else rows.index_select(0, positions)


def spread_rows(rows, positions, like):
    """A matrix with the rows at their positions, 0 elsewhere: (B·T, D) for `like` (B, T, …)."""
    if positions is None:
        return rows
    count = like.shape[0] * like.shape[1]
    return rows.new_zeros((count, rows.shape[1])).index_copy_(0, positions, rows)


def _weight_for(features, weight):
    """A variable, or a tensor computed from several, in the type and on the device of features."""
    return getattr(weight, "value", weight).to(features)
