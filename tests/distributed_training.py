"""The training that is run on one device and on several: model, batches and what is compared."""

import numpy as np
from runtimes import ON_TENSORFLOW

from keras_bert import compile_model, get_model

STEPS, ROWS, LENGTH, SLOTS = 20, 16, 12, 4
SIZES = {"token_num": 40, "head_num": 4, "feed_forward_dim": 32}


def new_model(max_predictions=None):
    """A compiled model with given weights, which learns so fast that 20 steps move all of them."""
    model = get_model(
        **SIZES,
        pos_num=LENGTH,
        seq_len=LENGTH,
        embed_dim=16,
        transformer_num=1,
        dropout_rate=0.0,
        use_task_embed=True,
        task_num=3,
        max_predictions=max_predictions,
    )
    random = np.random.RandomState(1)
    weights = [random.normal(scale=0.3, size=tuple(each.shape)) for each in model.weights]
    model.set_weights([each.astype("float32") for each in weights])
    compile_model(model, decay_steps=100, warmup_steps=5, learning_rate=1e-3)
    if ON_TENSORFLOW:
        model.jit_compile = False  # XLA takes longer than the trainings
    return model


def batches(max_predictions=None):
    """Inputs and outputs for `fit`, one batch after the other.

    The rows have anything between no and `SLOTS` marked places. The first two of a batch, which are
    a replica's where there are eight, have none, so that means over replicas are no means over the
    batch.
    """
    random = np.random.RandomState(0)
    count = STEPS * ROWS
    tokens = random.randint(1, SIZES["token_num"], size=(count, LENGTH))
    lengths = random.randint(4, LENGTH + 1, size=(count, 1))
    places = np.arange(LENGTH)
    tokens[places >= lengths] = 0
    marks = random.random_sample((count, LENGTH)) < random.random_sample((count, 1)) ** 2
    marks &= (tokens != 0) & (np.arange(count) % ROWS >= 2)[:, None]
    marks &= marks.cumsum(axis=1) <= SLOTS
    labels = tokens
    if max_predictions is not None:
        labels = np.zeros((count, max_predictions), tokens.dtype)
        for slots, row, marked in zip(labels, tokens, marks, strict=True):
            slots[: marked.sum()] = row[marked]
    tasks, swapped = random.randint(0, 3, (count, 1)), random.randint(0, 2, (count, 1))
    inputs = tokens, places >= lengths // 2, tasks, marks
    outputs = labels[..., None], swapped
    return [each.astype("int32") for each in inputs], [each.astype("int32") for each in outputs]


def train(model, inputs, outputs, rows=ROWS):
    """Losses and weights after the first step and after all.

    Args:
        model: A model of `new_model`.
        inputs: Arrays of all steps.
        outputs: Arrays of all steps.
        rows: Rows of the arrays in a step.

    Returns:
        Dict of arrays: the loss of the first step and the mean of the others', and each weight,
        by its name, after the first step and after all.
    """
    result = {}
    for name, part in (("1", slice(0, rows)), ("all", slice(rows, None))):
        x, y = (tuple(each[part] for each in arrays) for arrays in (inputs, outputs))
        history = model.fit(x, y, batch_size=rows, shuffle=False, verbose=0)
        result[f"loss {name}"] = history.history["loss"][0]
        result.update(weights_of(model, name))
    return result


def weights_of(model, when):
    """The weights by names that end with when they were read."""
    names = [getattr(each, "path", each.name) for each in model.weights]
    return {f"{name} {when}": each for name, each in zip(names, model.get_weights(), strict=True)}


def save(path, results):
    """Write the results of several trainings for the test to read."""
    arrays = {f"{name}: {key}": each for name in results for key, each in results[name].items()}
    np.savez(path, **arrays)
