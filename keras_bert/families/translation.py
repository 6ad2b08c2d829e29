"""From one naming of BERT's weights to the other, without a model in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.stored import (
    AnyTensor,
    ChangedTensor,
    PartitionedTensor,
    StoredTensor,
)
from .weights import (
    NAMINGS,
    TIED_COPIES,
    FoundWeight,
    Naming,
    check_tied,
    extra_names,
    find_rows,
    find_weights,
    in_files,
    read_weight,
    vocabulary_weights,
    weight_names,
)

_MLM, _NSP, _POOLER = ("MLM-Sim", 0), ("NSP", 0), ("NSP-Dense", 0)


def find_present_weights(checkpoint: Checkpoint, transformer_num: int) -> list[FoundWeight]:
    """Find all weights of the encoder, and those of the heads that are there.

    Args:
        checkpoint: Where to look.
        transformer_num: Number of encoder layers.

    Returns:
        One entry per weight, in the order of a model's layers.

    Raises:
        CheckpointError: Weights of the encoder are missing, or tied weights differ.
    """
    encoder = find_weights(checkpoint, transformer_num, training=False)
    head_rows = weight_names(transformer_num, training=True)[len(encoder) :]
    heads = max((find_rows(checkpoint, head_rows, naming) for naming in NAMINGS), key=len)
    found = {(weight.layer, weight.index): weight for weight in encoder} | heads
    if _MLM in found:
        check_tied(checkpoint, found)
    return list(found.values())


def heads_of(found: list[FoundWeight]) -> list[str]:
    """Name the parts beyond the encoder that are there, such as 'pooler'."""
    places = {(weight.layer, weight.index) for weight in found}
    parts = {"pooler": _POOLER, "masked words": _MLM, "next sentence": _NSP}
    return [name for name, place in parts.items() if place in places]


def left_out(checkpoint: Checkpoint, found: list[FoundWeight]) -> list[str]:
    """List the tensors that are not BERT's, such as an optimizer's or another head's.

    Copies of weights, and the lists of ids in Hugging Face's files, say nothing new and are not
    among them.
    """
    redundant = (*TIED_COPIES, "position_ids", "token_type_ids")
    return [name for name in extra_names(checkpoint, found) if not name.endswith(redundant)]


def translate(
    checkpoint: Checkpoint, found: list[FoundWeight], naming: Naming
) -> dict[str, np.ndarray]:
    """Read weights and give them the names and shapes that they have in the other kind of file.

    Args:
        checkpoint: A checkpoint.
        found: Those of its weights to translate.
        naming: 'google' or 'huggingface'.

    Returns:
        Arrays by name, in C order and of the types that the checkpoint has.
    """
    transformer_num = sum(weight.layer.endswith("-FeedForward") for weight in found) // 4
    rows = {(row.layer, row.index): row for row in weight_names(transformer_num, training=True)}
    tensors = {}
    for weight in found:
        name, transform = in_files(rows[weight.layer, weight.index], naming)
        values = read_weight(checkpoint, weight)
        tensors[name] = np.asarray(values.T if transform == "transpose" else values, order="C")
    return tensors


def as_hugging_face_names(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Leave out 'bert.' where there are no heads, as Hugging Face's files of a BertModel do."""
    if any(name.startswith("cls.") for name in tensors):
        return dict(tensors)
    return {name.removeprefix("bert."): array for name, array in tensors.items()}


def with_changed_rows(
    checkpoint: Checkpoint, old: int, new: int, change: Callable[[np.ndarray], np.ndarray]
) -> Checkpoint:
    """Give the weights that have a row for each token the rows of another vocabulary.

    Args:
        checkpoint: A checkpoint.
        old: Number of tokens that it was made for.
        new: Number of tokens that are wanted.
        change: Turns an array (old, …) into one (new, …) of the same type.

    Returns:
        The checkpoint, read through the change: its token table, the bias of the head for masked
        words, and their copies. Such as have another number of rows are left as they are.
    """
    names = {*TIED_COPIES}
    for naming in NAMINGS:
        found = find_rows(checkpoint, vocabulary_weights(), naming)
        names |= {weight.name for weight in found.values()}

    def changed(name: str, tensor: AnyTensor) -> AnyTensor:
        is_readable = isinstance(tensor, (StoredTensor, PartitionedTensor))
        if name in names and is_readable and tensor.shape[:1] == (old,):
            return ChangedTensor(tensor, (new, *tensor.shape[1:]), change)
        return tensor

    return checkpoint.map(changed)
