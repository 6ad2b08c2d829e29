"""What tells one family of models from another, as data.

Finding, reading, writing and checking weights is the same for all families and takes this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Naming = Literal["google", "huggingface"]
Transform = Literal["transpose"] | None
Rows = tuple["WeightName", ...]

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
        google: Name in Google's checkpoints; None if no such files exist.
        huggingface: Name in Hugging Face's files, in its current and full form.
        google_transform: What turns Google's array into the model's, and back; None for nothing.
        huggingface_transform: The same for Hugging Face's array.
        copy: Second name under which Hugging Face's files may hold it, that of a head which uses
            the same weight.
        per_token: Whether it has a row for each token of the vocabulary.
        google_factor: Name of a second matrix in Google's checkpoints, by which the first is
            multiplied.
    """

    layer: str
    index: int
    google: str | None
    huggingface: str
    google_transform: Transform = None
    huggingface_transform: Transform = None
    copy: str | None = None
    per_token: bool = False
    google_factor: str | None = None

    def in_files(self, naming: Naming) -> tuple[str | None, Transform]:
        """Return the name under a naming, and what turns the array there into the model's."""
        if naming == "google":
            return self.google, self.google_transform
        return self.huggingface, self.huggingface_transform

    def numbered(self, layer: int, *numbers: int | str) -> WeightName:
        """Put the number of the model's layer, and those that files have, into the names."""
        return replace(
            self,
            layer=self.layer.format(layer),
            google=self.google and self.google.format(*numbers),
            huggingface=self.huggingface.format(*numbers),
        )


def dense(
    layer: str, index: int, google: str | None, huggingface: str | None = None
) -> Iterator[WeightName]:
    """Kernel and bias; PyTorch's Linear keeps its kernel the other way round.

    Without `huggingface`, the module has Google's name with other separators there.
    """
    module = huggingface or dotted(google)
    kernel = WeightName(layer, index, google and f"{google}/kernel", f"{module}.weight")
    yield replace(kernel, huggingface_transform="transpose")
    yield WeightName(layer, index + 1, google and f"{google}/bias", f"{module}.bias")


def norm(layer: str, google: str | None, huggingface: str | None = None) -> Iterator[WeightName]:
    """Scale and offset of a normalization, named as by `dense`."""
    module = huggingface or dotted(google)
    yield WeightName(layer, 0, google and f"{google}/gamma", f"{module}.weight")
    yield WeightName(layer, 1, google and f"{google}/beta", f"{module}.bias")


def table(
    layer: str, google: str | None, huggingface: str | None = None, **options: Any
) -> WeightName:
    """A table of embeddings, named as by `dense`."""
    return WeightName(layer, 0, google, f"{huggingface or dotted(google)}.weight", **options)


def numbered_layers(rows: Rows, depth: int) -> list[WeightName]:
    """List the weights of encoder layers, counted from 1 in models and from 0 in files."""
    return [row.numbered(1 + number, number) for number in range(depth) for row in rows]


def dotted(module: str | None) -> str:
    """Turn a module's name in Google's files into that which Hugging Face kept."""
    assert module is not None, "a weight has a name in some file"
    return module.replace("layer_", "layer.").replace("/", ".")


@dataclass(frozen=True)
class TaskHead:
    """What stands on an encoder for a task such as classifying texts, as Hugging Face has it.

    Attributes:
        last: Weights of the layer that gives the logits.
        hidden: Weights of the layer below it, which takes the first token's features; empty where
            the last layer takes those of every token.
        activation: Activation of that layer.
    """

    last: Rows
    hidden: Rows = ()
    activation: str = "linear"

    @property
    def weights(self) -> Rows:
        """All weights."""
        return self.hidden + self.last


def task_heads(
    hidden: Iterable[WeightName],
    activation: str,
    classifier: str = "classifier",
    *,
    in_google_files: bool = False,
) -> dict[str, TaskHead]:
    """Heads for every task, by its name, of which the names alone differ between families.

    Args:
        hidden: Weights of the layer between the first token and the classifier of a text.
        activation: Its activation.
        classifier: Name of a text's classifier in Hugging Face's files.
        in_google_files: Whether Google's checkpoints have such heads as well, as BERT's
            run_classifier.py and run_squad.py write them.
    """
    scopes = ("", "cls/squad/") if in_google_files else (None, None)
    return {
        "sequence": TaskHead(
            _logits("Classifier", scopes[0], classifier), tuple(hidden), activation
        ),
        "tokens": TaskHead(_logits("Classifier", scopes[0], "classifier")),
        "answers": TaskHead(_logits("Answers", scopes[1], "qa_outputs")),
    }


def _logits(layer: str, scope: str | None, module: str) -> Rows:
    """Kernel and bias of a last layer; Google's code keeps its kernel the other way round, too."""
    kernel, bias = dense(layer, 0, None, module)
    if scope is None:
        return kernel, bias
    return (
        replace(kernel, google=f"{scope}output_weights", google_transform="transpose"),
        replace(bias, google=f"{scope}output_bias"),
    )


@dataclass(frozen=True, eq=False)
class Family:
    """A family of models.

    Attributes:
        name: What messages call it.
        model_type: What Hugging Face's configurations call it; None if there are none.
        sizes: Keys of the configuration that hold positive integers, each with its default, or
            None where it must be given.
        fixed: Takes a configuration whose sizes are right and returns the value that each of some
            keys must have where it is given: another value means another architecture.
        google_keys: Keys that Google's code knows; empty if Google has no such models.
        depth_keys: Keys of which the product is the number of encoder layers with weights of their
            own, the `depth`.
        encoder: Takes a configuration and this number and lists the weights without heads, in the
            model's order, the token table first.
        heads: Weights of each head by its name.
        shapes: For the sizes that weights show: layer, index and axis.
        prefix: What begins the names in Hugging Face's files of a model with heads.
        inside: Matches names of tensors inside the embeddings and the encoder; its group `rest` is
            what follows the layer, and `layer`, if it has one, the layer's number from 0.
        arguments: Takes a configuration and returns the arguments of `get_model`, those of texts
            and training apart.
        architecture: Takes the names of tensors in a Hugging Face file and returns the class of
            transformers that has them.
        task_heads: Heads for tasks, by the task's name.
        optional_head: The head without which `training=True` does where a file lacks it.
        own_keys: Keys that only this family's configurations of Google's kind hold.
        own_names: Matches a name in checkpoints that only this family has.
        renamed_keys: For keys of the configuration with names of the family's own, the usual ones.
        google_files: Names of the configuration and the checkpoint in Google's folders.
        of_model: Takes a Keras model's weights by layer and the names of its attention layers, in
            the order of their calls, and returns what a configuration of the family holds beside
            the keys that all have, or None if the model is of another family.
        config_of_model: The same of a model that is known to be of the family.
    """

    name: str
    model_type: str | None
    sizes: Mapping[str, int | None]
    fixed: Callable[[dict[str, Any]], dict[str, Any]]
    google_keys: tuple[str, ...]
    encoder: Callable[[dict[str, Any], int], list[WeightName]]
    heads: Mapping[str, Rows]
    shapes: Mapping[str, tuple[str, int, int]]
    prefix: str
    inside: re.Pattern[str]
    arguments: Callable[[dict[str, Any]], dict[str, Any]]
    architecture: Callable[[Collection[str]], str]
    task_heads: Mapping[str, TaskHead] = field(default_factory=dict)
    depth_keys: tuple[str, ...] = ("num_hidden_layers",)
    optional_head: str | None = None
    own_keys: tuple[str, ...] = ()
    own_names: re.Pattern[str] | None = None
    renamed_keys: Mapping[str, str] = field(default_factory=dict)
    google_files: tuple[str, str] = ("bert_config.json", "bert_model.ckpt")
    of_model: Callable[[Mapping[str, Any], list[str]], dict[str, Any] | None] = lambda *_: None
    config_of_model: Callable[[Mapping[str, Any], list[str]], dict[str, Any]] = lambda *_: {}

    @property
    def optional_heads(self) -> tuple[str, ...]:
        """Names of the heads that files may lack: the optional one and the pooler below it."""
        return () if self.optional_head is None else ("pooler", self.optional_head)

    def has_optional_head(self, rows: Collection[WeightName]) -> bool:
        """Whether some weights are, among others, of the optional head."""
        if self.optional_head is None:
            return False
        return any(row in rows for row in self.heads[self.optional_head])

    def size(self, config: dict[str, Any], key: str) -> int:
        """Return one of the `sizes`: what the configuration says, or else the default."""
        return config.get(key, self.sizes[key])

    def depth(self, config: dict[str, Any]) -> int:
        """Return the number of encoder layers with weights of their own."""
        return math.prod(self.size(config, key) for key in self.depth_keys)

    def key_in_files(self, key: str) -> str:
        """Return what the family's configurations call one of the usual keys."""
        return next((own for own, usual in self.renamed_keys.items() if usual == key), key)

    def heads_beside(self, rows: Collection[WeightName]) -> list[WeightName]:
        """List the weights of the heads of a file that has some weights.

        These are all heads, but the optional one only if it has some of the weights.
        """
        lacking = () if self.has_optional_head(rows) else self.optional_heads
        return [row for name, head in self.heads.items() if name not in lacking for row in head]

    def head_rows(self) -> list[WeightName]:
        """List the weights of all heads."""
        return [row for rows in self.heads.values() for row in rows]

    def weights(self, config: dict[str, Any], training: bool) -> list[WeightName]:
        """List the weights of the encoder, with `training` also those of all heads."""
        return self.encoder(config, self.depth(config)) + (self.head_rows() if training else [])
