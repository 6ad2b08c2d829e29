"""From one naming of a family's weights to the other, without a model in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..checkpoints import Checkpoint
from ..checkpoints.stored import AnyTensor, ChangedTensor, UnreadableTensor
from .family import Family, Naming
from .weights import FoundWeight, extra_names, stored_form


def heads_of(family: Family, found: list[FoundWeight]) -> list[str]:
    """Name the heads of which there are weights, such as "pooler"."""
    present = {weight.row for weight in found}
    return [name for name, rows in family.heads.items() if not present.isdisjoint(rows)]


def left_out(checkpoint: Checkpoint, found: list[FoundWeight]) -> list[str]:
    """List the tensors that are not the model's, such as an optimizer's or another head's.

    Copies of weights, and the lists of ids in Hugging Face's files, say nothing new and are not
    among them.
    """
    copies = [weight.row.copy for weight in found if weight.row.copy]
    redundant = (*copies, "position_ids", "token_type_ids")
    return [name for name in extra_names(checkpoint, found) if not name.endswith(redundant)]


def translate(
    checkpoint: Checkpoint, found: list[FoundWeight], naming: Naming
) -> dict[str, np.ndarray]:
    """Read weights, in the types that they have, under the names and in the shapes of a naming."""
    return dict(stored_form(weight.row, naming, weight.read(checkpoint)) for weight in found)


def as_hugging_face_names(
    family: Family, tensors: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Leave out the prefix where there are no heads, as Hugging Face's files of an encoder do."""
    if not all(name.startswith(family.prefix) for name in tensors):
        return dict(tensors)
    return {name.removeprefix(family.prefix): array for name, array in tensors.items()}


def with_changed_rows(
    checkpoint: Checkpoint,
    found: list[FoundWeight],
    old: int,
    new: int,
    change: Callable[[np.ndarray], np.ndarray],
) -> Checkpoint:
    """Read a checkpoint with other rows in the weights that have a row for each token.

    `change` turns an array (old, …) into one (new, …) of the same type. Weights that have another
    number of rows than `old` are left as they are.
    """
    # Of a product, the first factor has the rows.
    names = {weight.name for weight in found if weight.row.per_token}

    def changed(name: str, tensor: AnyTensor) -> AnyTensor:
        is_to_change = name in names and tensor.shape[:1] == (old,)
        if is_to_change and not isinstance(tensor, UnreadableTensor):
            return ChangedTensor(tensor, (new, *tensor.shape[1:]), change)
        return tensor

    return checkpoint.map(changed)
