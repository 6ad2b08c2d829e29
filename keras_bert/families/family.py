"""What tells one family of models from another, as data.

Finding, reading, writing and checking weights is the same for all families and takes this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Naming = Literal["google", "huggingface"]
Transform = Literal["transpose"] | None

NAMINGS: tuple[Naming, ...] = ("google", "huggingface")
USUAL_EPSILON = 1e-12  # of normalization; fixed in Google's code


class ConfigError(ValueError):
    """A configuration that is damaged, or of no architecture that this package can build."""


@dataclass(frozen=True)
class WeightName:
    """A weight: where a model has it, what files call it, and how it lies there.

    Attributes:
        layer: Name of the model's layer.
        index: Index in that layer's `get_weights()`.
        google: Name in Google's checkpoints.
        huggingface: Name in Hugging Face's files, in its current and full form.
        google_transform: What turns Google's array into the model's, and back; None for nothing.
        huggingface_transform: The same for Hugging Face's array.
        copy: Second name under which Hugging Face's files may hold it, that of a head which uses
            the same weight.
        per_token: Whether it has a row for each token of the vocabulary.
    """

    layer: str
    index: int
    google: str
    huggingface: str
    google_transform: Transform = None
    huggingface_transform: Transform = None
    copy: str | None = None
    per_token: bool = False

    def in_files(self, naming: Naming) -> tuple[str, Transform]:
        """Return the name under a naming, and what turns the array there into the model's."""
        if naming == "google":
            return self.google, self.google_transform
        return self.huggingface, self.huggingface_transform


class Family(NamedTuple):
    """A family of models.

    Attributes:
        name: What error messages call it.
        model_type: What Hugging Face's configurations call it.
        sizes: Keys of the configuration that hold positive integers, each with its default, or
            None where it must be given.
        fixed: Takes a configuration whose sizes are right and returns the value that each of some
            keys must have where it is given: another value means another architecture.
        google_keys: Keys that Google's code knows.
        encoder: Takes a configuration and lists the weights without heads, in the model's order.
        heads: Weights of each head by its name.
        shapes: For the sizes that weights show: layer, index and axis.
        prefix: What begins the names in Hugging Face's files of a model with heads.
        inside: Matches names of tensors inside the embeddings and the encoder; its group `layer`
            is the number of the encoder layer, from 0, and `rest` what follows.
        arguments: Takes a configuration and returns the arguments of `get_model`, those of texts
            and training apart.
        architecture: Takes the names of tensors in a Hugging Face file and returns the class of
            transformers that has them.
    """

    name: str
    model_type: str
    sizes: Mapping[str, int | None]
    fixed: Callable[[dict[str, Any]], dict[str, Any]]
    google_keys: tuple[str, ...]
    encoder: Callable[[dict[str, Any]], list[WeightName]]
    heads: Mapping[str, tuple[WeightName, ...]]
    shapes: Mapping[str, tuple[str, int, int]]
    prefix: str
    inside: re.Pattern[str]
    arguments: Callable[[dict[str, Any]], dict[str, Any]]
    architecture: Callable[[Collection[str]], str]

    def weights(self, config: dict[str, Any], training: bool) -> list[WeightName]:
        """List the weights of the encoder, with `training` also those of all heads."""
        heads = [row for rows in self.heads.values() for row in rows] if training else []
        return self.encoder(config) + heads
