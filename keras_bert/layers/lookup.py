"""Reading rows of an embedding table: checks of the ids and the gradient of the table."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..backend import ENGINE, TF_KERAS, ops, traced

# Arguments of `add_weight` for a table. Keras 3 would otherwise cast the whole table at every call
# under a 16-bit policy, and sum up the gradient of a frequent row in 16 bits, where it stops
# growing after a few hundred occurrences. The rows read are cast instead.
TABLE_OPTIONS = {} if TF_KERAS else {"autocast": False}


def lookup(table, ids):
    """Rows of a table.

    On TensorFlow the gradient is a tensor, in which a row has the sum of what its occurrences
    contribute, as on JAX and PyTorch. TensorFlow's own gradient is a list with an entry per
    occurrence, and Keras 3's optimizers square those entries before they add them up, so that
    Adam's first step moves a row which occurs n times by sqrt(n) times the learning rate; Keras 2
    adds up first, but clips a norm before that. (Merging the entries here would not do: TensorFlow
    joins the lists of several lookups in one table.) As those optimizers compute with whole tables
    anyway, all but plain SGD take the same time.

    Args:
        table: Float tensor or variable (V, D).
        ids: Integer tensor of any shape (…), values in [0, V).

    Returns:
        Float tensor (…, D).
    """
    if ENGINE == "tensorflow":
        return _lookup_tensorflow(table, ids)
    if ENGINE == "torch":
        return _lookup_torch(table, ids)
    return ops.take(table, ids, axis=0)


def _lookup_tensorflow(table, ids):
    import tensorflow as tf

    table = tf.convert_to_tensor(table)
    rows, width = table.shape

    @tf.custom_gradient
    def gather(table):
        def gradient(upstream):
            flat = tf.reshape(upstream, [-1, width])
            return tf.math.unsorted_segment_sum(flat, tf.reshape(ids, [-1]), rows)

        return tf.gather(table, ids), gradient

    return gather(table)


def _lookup_torch(table, ids):
    """Rows of a table, whose gradient on a CPU lies in memory that NumPy provides.

    For the zeros in it PyTorch takes new memory at every step, page by page, which for 30,522
    tokens is a tenth of a step of fine-tuning a small model. NumPy asks the system for zeros, in
    large pages where it has them, and nothing is spent on rows that do not occur.
    """
    import torch

    table, ids = ops.convert_to_tensor(table), ops.convert_to_tensor(ids)
    if (
        not (table.requires_grad and torch.is_grad_enabled())
        or table.device.type != "cpu"
        or table.dtype not in (torch.float32, torch.float64)
        or traced(table)
        or traced(ids)
    ):
        return ops.take(table, ids, axis=0)
    return _torch_rows().apply(table, ids)


@cache
def _torch_rows():
    import torch

    class Rows(torch.autograd.Function):
        @staticmethod
        def forward(table, ids):
            return ops.take(table, ids, axis=0)

        @staticmethod
        def setup_context(ctx, inputs, output):
            table, ids = inputs
            ctx.save_for_backward(ids)
            ctx.save_for_forward(ids)
            ctx.rows, ctx.width = table.shape
            ctx.dtype = np.float32 if table.dtype == torch.float32 else np.float64

        @staticmethod
        def backward(ctx, upstream):
            (ids,) = ctx.saved_tensors
            if traced(upstream):
                gradient = upstream.new_zeros((ctx.rows, ctx.width))
            else:
                gradient = torch.from_numpy(np.zeros((ctx.rows, ctx.width), ctx.dtype))
            return gradient.index_add_(0, ids.reshape(-1), upstream.reshape(-1, ctx.width)), None

        @staticmethod
        def jvp(ctx, table, _):
            (ids,) = ctx.saved_tensors
            return ops.take(table, ids, axis=0)

    return Rows


def check_ids(layer_name: str, ids, limit: int) -> None:
    """Refuse ids outside a table wherever their values are known, that is, outside a traced graph.

    Out of range, JAX returns NaN and others fail without naming the layer.

    Args:
        layer_name: Name of the layer, for the message.
        ids: Integer tensor or array of any shape.
        limit: Number of rows of the table, V.

    Raises:
        ValueError: If an id is negative or not below `limit`.
    """
    try:
        values = np.asarray(ids)
    except Exception:  # a traced or symbolic tensor, or one on an accelerator: values unknown here
        return
    if values.dtype == object or values.size == 0:
        return
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= limit:
        raise ValueError(
            f"Layer '{layer_name}' has {limit} rows, so its ids must lie in [0, {limit - 1}]. "
            f"Received ids from {low} to {high}. Encode the texts with the vocabulary that belongs "
            "to this model."
        )
