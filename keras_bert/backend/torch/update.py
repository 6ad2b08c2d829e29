"""AdamWarmup's update by PyTorch's fused kernel, which reads every weight and moment once."""

import torch
from torch.optim.adamw import adamw

from .. import plain
from ..parts import ops
from ..private import UpdatesAtOnce


class FusedUpdate(UpdatesAtOnce, plain.FusedUpdate):
    """Mixin for AdamWarmup: all variables at once, in as few kernels as there are step sizes."""

    def update_all(self, grads, trainable_variables, learning_rate) -> None:
        """Update all variables, in the order of their gradients, and their moments."""
        groups: dict[tuple, list] = {}
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            index = self._index(variable)
            slots = [self._momentums[index], self._velocities[index]]
            if self.amsgrad:
                slots.append(self._largest_velocities[index])
            tensors = [variable.value, gradient, *(slot.value for slot in slots)]
            if _suit_the_kernel(tensors):
                kind = variable.dtype, self._factors[index], self._decay(index)
                groups.setdefault(kind, []).append(tensors)
            else:
                self.update_step(gradient, variable, learning_rate)
        for (dtype, factor, decay), members in groups.items():
            step_size = ops.convert_to_tensor(self._step_size(learning_rate, dtype)) * factor
            _update_group(self, list(zip(*members, strict=True)), step_size, decay)


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
