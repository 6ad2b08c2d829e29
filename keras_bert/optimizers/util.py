"""How many steps a training takes."""

from __future__ import annotations


def calc_train_steps(
    num_example: int, batch_size: int, epochs: int, warmup_proportion: float = 0.1
) -> tuple[int, int]:
    """Count the steps of a training and of its warm-up, for `AdamWarmup`.

    Args:
        num_example: Number of examples that an epoch goes through.
        batch_size: Examples per batch; an epoch's last batch may be smaller.
        epochs: Number of epochs.
        warmup_proportion: Share of all steps during which the learning rate rises.

    Returns:
        The number of all steps and the number of warm-up steps, rounded down.
    """
    total = (num_example + batch_size - 1) // batch_size * epochs
    return total, int(total * warmup_proportion)
