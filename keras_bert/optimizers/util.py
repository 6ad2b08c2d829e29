"""How many steps a training takes."""

from ..arguments import check_number


def calc_train_steps(
    num_example: int, batch_size: int, epochs: int, warmup_proportion: float = 0.1
) -> tuple[int, int]:
    """Count the steps of a training and of its warm-up, for `AdamWarmup`.

    Args:
        num_example: Number of examples that an epoch goes through.
        batch_size: Examples per batch; an epoch's last batch may be smaller.
        epochs: Number of epochs.
        warmup_proportion: Share of all steps during which the learning rate rises, from 0 to 1.

    Returns:
        The number of all steps and the number of warm-up steps, rounded down.

    Raises:
        TypeError: If an argument is no number, such as a list of the examples.
        ValueError: If there is nothing to count, or `warmup_proportion` is not from 0 to 1.

    Example:
        >>> from keras_bert import calc_train_steps
        >>> calc_train_steps(num_example=1024, batch_size=32, epochs=10, warmup_proportion=0.1)
        (320, 32)
    """
    for name, value in (
        ("num_example", num_example),
        ("batch_size", batch_size),
        ("epochs", epochs),
        ("warmup_proportion", warmup_proportion),
    ):
        check_number(name, value)
    if num_example < 1 or batch_size < 1 or epochs < 0 or not 0.0 <= warmup_proportion <= 1.0:
        raise ValueError(
            "`num_example` and `batch_size` must be positive, `epochs` not negative and "
            f"`warmup_proportion` from 0 to 1. Received: num_example={num_example}, "
            f"batch_size={batch_size}, epochs={epochs}, warmup_proportion={warmup_proportion}."
        )
    total = (num_example + batch_size - 1) // batch_size * epochs
    return total, int(total * warmup_proportion)
