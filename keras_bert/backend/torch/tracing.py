"""Whether PyTorch computes with a tensor at all."""

from __future__ import annotations

import torch


def traced(tensor) -> bool:
    """Whether PyTorch does anything else with a tensor than compute what it is told.

    That is to compile or export, to transform functions (`torch.func`, `is_grads_batched`), to look
    at shapes alone, or to divide tensors among devices.
    """
    # PyTorch has no public names for these two.
    transforms_active = getattr(torch._C, "_are_functorch_transforms_active", bool)
    is_batched = getattr(torch._C._functorch, "is_legacy_batchedtensor", lambda tensor: False)
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or transforms_active()
        or is_batched(tensor)
    )
