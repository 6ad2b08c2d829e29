"""Whether PyTorch computes with a tensor at all."""

from __future__ import annotations

import torch

from ..private import is_transformed


def traced(tensor) -> bool:
    """Whether PyTorch does anything else with a tensor than compute what it is told.

    That is to compile or export, to transform functions, to look at shapes alone, or to divide
    tensors among devices.
    """
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or type(tensor) not in (torch.Tensor, torch.nn.Parameter)
        or is_transformed(tensor)
    )
