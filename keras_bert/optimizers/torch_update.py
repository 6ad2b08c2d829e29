"""AdamWarmup's update by PyTorch's fused kernel, which reads every weight and moment once."""

from __future__ import annotations

import torch
from torch.optim.adamw import adamw

from ..backend import ops


def update(optimizer, gradients, variables, peak) -> None:
    """Take `optimizer.update_step` for all variables, as few kernels as there are step sizes.

    Args:
        optimizer: An AdamWarmup that was built with the variables.
        gradients: Their gradients.
        variables: Keras variables, in the order of the gradients.
        peak: Peak of the learning rate.
    """
    groups: dict[tuple, list] = {}
    for gradient, variable in zip(gradients, variables, strict=True):
        index = optimizer._get_variable_index(variable)
        slots = [optimizer._momentums[index], optimizer._velocities[index]]
        if optimizer.amsgrad:
            slots.append(optimizer._largest_velocities[index])
        tensors = [variable.value, gradient, *(slot.value for slot in slots)]
        if _suit_the_kernel(tensors):
            kind = variable.dtype, optimizer._factors[index], optimizer._decays[index]
            groups.setdefault(kind, []).append(tensors)
        else:
            optimizer.update_step(gradient, variable, peak)
    for (dtype, factor, decayed), members in groups.items():
        step_size = ops.convert_to_tensor(optimizer._step_size(peak, dtype)) * factor
        decay = optimizer.weight_decay if decayed else 0.0
        _update_group(optimizer, list(zip(*members, strict=True)), step_size, decay)


def _suit_the_kernel(tensors) -> bool:
    """Whether the kernel, which walks through memory, meets the elements in the same order."""
    first = tensors[0]
    return all(each.is_contiguous() and each.dtype == first.dtype for each in tensors)


def _update_group(optimizer, columns, step_size, decay: float) -> None:
    weights, gradients, first, second, *largest = map(list, columns)
    # The step size holds the correction of the moments' bias. After infinitely many steps the
    # kernel's own correction is 1 exactly.
    steps = torch.full((), torch.inf, device=weights[0].device)
    with torch.no_grad():
        adamw(
            weights,
            gradients,
            first,
            second,
            largest[0] if largest else [],
            [steps] * len(weights),
            fused=True,
            amsgrad=optimizer.amsgrad,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            lr=step_size,
            weight_decay=decay,
            eps=optimizer.epsilon,
            maximize=False,
        )
