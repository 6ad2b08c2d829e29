"""Whether a configuration and a checkpoint belong together and are BERT's."""

from __future__ import annotations

import re

from ..checkpoints import Checkpoint, CheckpointError
from .configuration import ConfigError
from .weights import FoundWeight, extra_names


def transformer_num(config: dict, checkpoint: Checkpoint) -> int:
    """The number of encoder layers, refused where the file cannot possibly hold as many."""
    depth = config["num_hidden_layers"]
    if depth > len(checkpoint):
        raise ConfigError(
            f"`num_hidden_layers` does not fit {checkpoint.path}, which holds {len(checkpoint)} "
            f"tensors in all. Received: {depth}."
        )
    return depth


def check_sizes(config: dict, checkpoint: Checkpoint, found: list[FoundWeight]) -> None:
    """Compare the configuration's sizes with the file's before a model of them is allocated."""
    shapes = {(weight.layer, weight.index): weight.shape for weight in found}
    sizes = {
        "vocab_size": shapes["Embedding-Token", 0][:1],
        "hidden_size": shapes["Embedding-Token", 0][1:],
        "max_position_embeddings": shapes["Embedding-Position", 0][:1],
        "type_vocab_size": shapes["Embedding-Segment", 0][:1],
        "intermediate_size": shapes["Encoder-1-FeedForward", 0][1:],
    }
    wrong = [
        f"{key} is {config.get(key, 2)}, the file's {', '.join(map(str, size)) or 'none'}"
        for key, size in sizes.items()
        if (config.get(key, 2),) != size
    ]
    if wrong:
        raise CheckpointError(
            f"The configuration does not fit {checkpoint.path}: {'; '.join(wrong)}. "
            "Pass the configuration that came with the checkpoint."
        )


def check_strangers(checkpoint: Checkpoint, found: list[FoundWeight], depth: int) -> None:
    """Refuse tensors inside the encoder that this model has no place for.

    Without them the numbers would be wrong. Optimizers' slots, which stand below a weight's name,
    layers beyond the model's, and the lists of ids in Hugging Face's files change nothing.
    """
    slots = tuple(f"{weight.name}/" for weight in found)
    inside = re.compile(
        r"^(bert[./])?(embeddings|encoder[./]layer[._](?P<layer>\d+))[./](?P<rest>.+)"
    )
    strangers = []
    for name in extra_names(checkpoint, found):
        match = inside.match(name)
        if match is None or name.startswith(slots):
            continue
        if match["layer"] is not None and int(match["layer"]) >= depth:
            continue
        if match["rest"] not in ("position_ids", "token_type_ids"):
            strangers.append(name)
    if strangers:
        raise CheckpointError(
            f"{checkpoint.path} holds parts of another architecture than BERT's, without which the "
            f"numbers would be wrong: {listed(strangers, ', ')}."
        )


def listed(items: list[str], separator: str, most: int = 8) -> str:
    """Write the first of some items, and how many there are beyond."""
    more = f"{separator}and {len(items) - most} more" if len(items) > most else ""
    return separator.join(items[:most]) + more
