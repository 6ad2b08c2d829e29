"""Whether a configuration and a checkpoint belong together."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..checkpoints import Checkpoint, CheckpointError
from ..checkpoints.listing import listed
from .family import Family, WeightName
from .weights import FoundWeight, extra_names

UNTRAINED_HEAD = "the head for masked words has never been trained, its guesses are random"


def check_fit(
    family: Family, config: dict[str, Any], checkpoint: Checkpoint, found: list[FoundWeight]
) -> None:
    """Raise where a checkpoint is not one of a family and of a configuration, without reading it.

    Of the weights found in it, at least those of the encoder are needed. Sizes are compared before
    a model of them is allocated.
    """
    weights = {(weight.row.layer, weight.row.index): weight for weight in found}
    wrong = []
    for key, (layer, index, axis) in family.shapes.items():
        if (layer, index) not in weights:  # not every model of the family has it
            continue
        size, shape = family.size(config, key), weights[layer, index].shape(checkpoint)
        held = shape[axis] if len(shape) == 2 else "none"
        if held != size:
            wrong.append(f"{family.key_in_files(key)} is {size}, the file's {held}")
    if wrong:
        raise CheckpointError(
            f"The configuration does not fit {checkpoint.path}: {'; '.join(wrong)}. "
            "Pass the configuration that came with the checkpoint."
        )
    check_unexpected_tensors(family, config, checkpoint, found)


def has_untrained_head(family: Family, checkpoint: Checkpoint, found: list[FoundWeight]) -> bool:
    """Whether there is a head for masked words as training begins with it, on a trained encoder.

    Some who train without heads, or drop them, fill them up at random (hfl's RoBERTa-wwm). Their
    kernels do not show it; but training moves every bias from 0 and every norm from 1 and 0. A
    model of which nothing is trained is left alone: whoever made it knows.
    """
    rows = family.heads.get("masked words", ())
    head = [weight for weight in found if weight.row in rows]
    others = [weight for weight in found if weight.row not in rows]
    return bool(head) and _is_initial(checkpoint, head) and not _is_initial(checkpoint, others)


@contextmanager
def unwarned_of_head() -> Iterator[None]:
    """Load without a warning of an untrained head, where it has been said or changes nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*{UNTRAINED_HEAD}")
        yield


def _is_initial(checkpoint: Checkpoint, weights: list[FoundWeight]) -> bool:
    return all(
        np.all(weight.read(checkpoint) == _initial(weight.row))
        for weight in weights
        if _initial(weight.row) is not None
    )


def _initial(row: WeightName) -> int | None:
    """What training begins with; None for kernels and tables, which are random."""
    if row.huggingface.endswith(".bias"):
        return 0
    return 1 if row.layer.endswith("-Norm") else None


def check_unexpected_tensors(
    family: Family, config: dict[str, Any], checkpoint: Checkpoint, found: list[FoundWeight]
) -> None:
    """Refuse tensors inside the encoder that the family does not have.

    Without them the numbers would be wrong. Optimizers' slots, which stand below a weight's name,
    layers beyond the configuration's, and the lists of ids in Hugging Face's files change nothing.
    """
    slots = tuple(f"{weight.name}/" for weight in found)
    unexpected = []
    for name in extra_names(checkpoint, found):
        match = family.inside.match(name)
        if match is None or name.startswith(slots):
            continue
        layer = match.groupdict().get("layer")
        if layer is not None and int(layer) >= config["num_hidden_layers"]:
            continue
        if match["rest"] not in ("position_ids", "token_type_ids"):
            unexpected.append(name)
    if unexpected:
        raise CheckpointError(
            f"{checkpoint.path} holds parts of another architecture than {family.name}'s, without "
            f"which the numbers would be wrong: {listed(unexpected, ', ')}."
        )
