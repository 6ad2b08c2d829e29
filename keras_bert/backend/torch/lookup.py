"""Rows of an embedding table whose gradient, on a CPU, lies in memory that NumPy provides.

For the zeros in it PyTorch takes new memory at every step, page by page. NumPy asks the system for
zeros, in large pages where it has them, and nothing is spent on rows that do not occur.
"""

from __future__ import annotations

import numpy as np
import torch

from .. import plain
from ..parts import ops
from .tracing import traced


def lookup(table, ids):
    """Rows of a table."""
    table, ids = ops.convert_to_tensor(table), ops.convert_to_tensor(ids)
    if (
        not (table.requires_grad and torch.is_grad_enabled())
        or table.device.type != "cpu"
        or table.dtype not in (torch.float32, torch.float64)
        or traced(table)
        or traced(ids)
    ):
        return plain.lookup(table, ids)
    return _Rows.apply(table, ids)


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(table, ids):
        return plain.lookup(table, ids)

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
        return plain.lookup(table, ids)
