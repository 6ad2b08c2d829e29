"""A family's weights in a checkpoint: found, read, and written.

Which of the namings a file uses is decided by the names in it, not by its format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..checkpoints import Checkpoint, CheckpointError
from ..checkpoints.listing import describe_missing, summary
from .bert import BERT
from .family import NAMINGS, ConfigError, Family, Naming, Transform, WeightName

Heads = Literal["none", "all", "all but optional", "all or none", "any"]

_WITHOUT_HEADS = (
    "\nOnly weights of the heads are missing: training=False does without them, and "
    "allow_missing_heads=True lets a head that the file lacks start at random."
)


class FoundWeight(NamedTuple):
    """A weight, its name in a checkpoint, and what turns the array there into the model's."""

    row: WeightName
    name: str
    transform: Transform
    factor: str | None = None  # name of the matrix by which it is multiplied

    def shape(self, checkpoint: Checkpoint) -> tuple[int, ...]:
        """Return the shape of the model's array."""
        shape = checkpoint.shape(self.name)
        if self.factor is not None:
            factor = checkpoint.shape(self.factor)
            if len(shape) != 2 or len(factor) != 2 or shape[1] != factor[0]:
                raise CheckpointError(
                    f"{checkpoint.path}: '{self.name}', {shape}, and '{self.factor}', {factor}, "
                    "are no two factors of one table."
                )
            return shape[:1] + factor[1:]
        return shape[::-1] if self.transform == "transpose" else shape

    def read(self, checkpoint: Checkpoint) -> np.ndarray:
        """Read the model's array, in the type that the file has; it may be a strided view.

        A product has at least 32 bits.
        """
        array = _transformed(checkpoint[self.name], self.transform)
        if self.factor is None:
            return array
        # Products of 16 bits would be rounded to as many.
        dtype = np.float32 if array.dtype.itemsize < 4 else array.dtype
        return array.astype(dtype) @ checkpoint[self.factor].astype(dtype)


def find_weights(
    family: Family, config: dict[str, Any], checkpoint: Checkpoint, heads: Heads = "none"
) -> list[FoundWeight]:
    """Find a model's weights in a checkpoint, under whichever names it has.

    Tensors that the model does not have (optimizer state, other heads, further layers) are normal;
    `extra_names` lists them. Nothing is read but copies of weights that heads share, see Raises.

    Args:
        family: The model's family.
        config: Its configuration; the file may have more layers.
        checkpoint: The checkpoint.
        heads: Which heads to look for: "none"; "all"; all but the optional one if the file lacks it
            ("all but optional"); those that are there, of which none may be there by half ("all
            or none"); or "any" weight of theirs that is there.

    Returns:
        The weights, those of the encoder first.

    Raises:
        CheckpointError: If weights are missing (all of them are named), or if a head's copy of a
            weight that the family has only once differs from it.
        ConfigError: If the configuration has more layers than the checkpoint has tensors.
    """
    depth = family.depth(config)
    # A damaged number of layers must not make a list of a billion rows.
    encoder = family.encoder(config, min(depth, len(checkpoint)))
    head_rows = [] if heads == "none" else family.head_rows()
    rows = [*encoder, *head_rows]
    naming, found = _find_rows(family, rows, checkpoint)
    if not found:
        of_google = f"Google's names ({rows[0].google}, ...) nor under " if rows[0].google else ""
        raise CheckpointError(
            f"{checkpoint.path} holds no weights of {family.name}, "
            f"{'neither' if of_google else 'not'} under {of_google}Hugging Face's "
            f"({rows[0].huggingface}, ...). It holds {summary(list(checkpoint))}."
        )
    if depth > len(checkpoint):
        keys = " times ".join(f"`{family.key_in_files(key)}`" for key in family.depth_keys)
        raise ConfigError(
            f"{keys} does not fit {checkpoint.path}, which holds {len(checkpoint)} tensors in all. "
            f"Received: {depth}."
        )
    present = {weight.row for weight in found}
    needed = list(encoder)
    if heads == "all":
        needed += head_rows
    elif heads == "all but optional":
        needed += family.heads_beside(present)
    elif heads == "all or none":
        for head in family.heads.values():
            needed += () if present.isdisjoint(head) else head
    if missing := [row for row in needed if row not in present]:
        names = [name for row in missing for name in _lacking(row, naming, checkpoint)]
        message = (
            f"{checkpoint.path} lacks {len(missing)} of the model's {len(needed)} weights:\n"
            f"{describe_missing(names, list(checkpoint), extra_names(checkpoint, found))}"
        )
        raise CheckpointError(message + ("" if missing[0] in encoder else _WITHOUT_HEADS))
    # The head for masked words shares the token table, of which files may hold a copy for it.
    has_word_head = any(weight.row.per_token for weight in found[len(encoder) :])
    if has_word_head:
        _check_copies(family, checkpoint, found)
    return found


def _find_rows(
    family: Family, rows: list[WeightName], checkpoint: Checkpoint
) -> tuple[Naming, list[FoundWeight]]:
    """Find those of some weights that are there, under the naming that has most of them."""
    by_naming: dict[Naming, list[FoundWeight]] = {naming: [] for naming in NAMINGS}
    for naming, found in by_naming.items():
        for row in rows:
            factor = row.google_factor if naming == "google" else None
            for name in _spellings(family, row, naming):
                if name in checkpoint and (factor is None or factor in checkpoint):
                    found.append(FoundWeight(row, name, row.in_files(naming)[1], factor))
                    break
    return max(by_naming.items(), key=lambda item: len(item[1]))


def _lacking(row: WeightName, naming: Naming, checkpoint: Checkpoint) -> list[str | None]:
    """Name what a weight that was not found lacks: of a product, one factor may be there."""
    names = [row.in_files(naming)[0]]
    if naming == "google" and row.google_factor:
        names.append(row.google_factor)
    return [name for name in names if name not in checkpoint]


def extra_names(checkpoint: Checkpoint, found: Iterable[FoundWeight]) -> list[str]:
    """List the tensors of a checkpoint that are not among the weights found, in its order."""
    used = {weight.name for weight in found} | {weight.factor for weight in found}
    return [name for name in checkpoint if name not in used]


def to_checkpoint(
    weights_by_layer: Mapping[str, Sequence[npt.ArrayLike]],
    naming: Naming,
    family: Family = BERT,
    config: Mapping[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """Turn a model's weights into the tensors of a file, the inverse of reading them.

    Args:
        weights_by_layer: For each layer that has weights, what its `get_weights()` returns. The
            encoder layers are counted; the heads are written if there is any, without the one that
            the family's files may lack if there is none of it.
        naming: "google" or "huggingface".
        family: The model's family.
        config: Its configuration, for families other than BERT.

    Returns:
        Arrays by name, in C order, as every format's writer wants them.

    Raises:
        ValueError: If the layers are not those of a model of the family, or the naming is unknown,
            or no files of the family have such names.
    """
    if naming not in NAMINGS:
        raise ValueError(f"`naming` must be one of {NAMINGS}. Received: naming={naming!r}")
    depth = 0
    while f"Encoder-{depth + 1}-FeedForward" in weights_by_layer:
        depth += 1
    rows = family.encoder(dict(config or {}), depth)
    heads = [row for row in family.head_rows() if row.layer in weights_by_layer]
    if heads:
        rows += family.heads_beside(heads)
    expected = Counter(row.layer for row in rows)
    given = {layer: len(weights) for layer, weights in weights_by_layer.items()}
    if wrong := sorted(dict(expected.items() ^ given.items())):
        differences = ", ".join(
            f"{layer} ({given.get(layer, 0)} instead of {expected[layer]})" for layer in wrong
        )
        raise ValueError(
            f"`weights_by_layer` must hold the weights of a {family.name} model of {depth} "
            f"encoder layers and nothing else. Layers with other numbers of weights: {differences}"
        )
    return dict(stored_form(row, naming, weights_by_layer[row.layer][row.index]) for row in rows)


def stored_form(row: WeightName, naming: Naming, values: npt.ArrayLike) -> tuple[str, np.ndarray]:
    """Return the name and array, in C order, that files have for a weight of a model."""
    name, transform = row.in_files(naming)
    if name is None or (naming == "google" and row.google_factor):
        raise ValueError(f"No files of {naming}'s kind have the weights of layer {row.layer} so.")
    return name, np.asarray(_transformed(np.asarray(values), transform), order="C")


def _transformed(array: np.ndarray, transform: Transform) -> np.ndarray:
    return array.T if transform == "transpose" else array


def _spellings(family: Family, row: WeightName, naming: Naming) -> Iterator[str]:
    """List the ways in which a weight has been named, today's first."""
    if naming == "google":
        if row.google:
            yield row.google
        return
    old = row.huggingface.replace("LayerNorm.weight", "LayerNorm.gamma")
    old = old.replace("LayerNorm.bias", "LayerNorm.beta")
    for name in filter(None, dict.fromkeys((row.huggingface, old, row.copy))):
        yield name
        yield name.removeprefix(family.prefix)  # as in a file of the encoder alone


def _check_copies(family: Family, checkpoint: Checkpoint, found: list[FoundWeight]) -> None:
    """Raise where a head's copy of a weight that the family has only once differs from it."""
    for weight in found:
        copy = weight.row.copy
        if copy and copy in checkpoint and not checkpoint.are_equal(copy, weight.name):
            raise CheckpointError(
                f"{checkpoint.path}: '{copy}' differs from '{weight.name}'. {family.name} has one "
                "weight for both, so the heads of this file cannot be loaded; pass training=False "
                "for the encoder alone"
            )
