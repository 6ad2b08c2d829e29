"""The one table of BERT's weights: their place in a model, their names in files, how they lie.

Each row says where a weight belongs (layer and place in ``layer.get_weights()``), what Google's
and Hugging Face's files call it, and how its array there relates to the model's. Read from left to
right the table writes files, from right to left it reads them. Which of the two namings a file
uses is decided by the names in it, not by its format.

Source: google-research/bert, ``modeling.py`` and ``run_pretraining.py``; Hugging Face
transformers, ``models/bert/modeling_bert.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.errors import CheckpointError
from ..checkpoints.listing import describe_missing, summary

Naming = Literal["google", "huggingface"]
Transform = Literal["transpose"] | None

NAMINGS: tuple[Naming, ...] = ("google", "huggingface")


class WeightName(NamedTuple):
    """A row of the table.

    Attributes:
        layer: Name of the model's layer.
        index: Place in that layer's ``get_weights()``.
        google: Name in Google's checkpoints.
        huggingface: Name in Hugging Face's files, in its current and full form.
        google_transform: What turns Google's array into the model's, and back; None for nothing.
        huggingface_transform: The same for Hugging Face's.
    """

    layer: str
    index: int
    google: str
    huggingface: str
    google_transform: Transform = None
    huggingface_transform: Transform = None


def weight_names(transformer_num: int, training: bool) -> list[WeightName]:
    """List every weight of a BERT model, in the order of its layers.

    Args:
        transformer_num: Number of encoder layers.
        training: Whether the model has the masked-language-model and next-sentence heads.

    Returns:
        One row per weight.
    """
    rows = [*_EMBEDDINGS]
    for number in range(transformer_num):
        for row in _ENCODER:
            rows.append(
                row._replace(
                    layer=row.layer.format(number + 1),
                    google=row.google.format(number),
                    huggingface=row.huggingface.format(number),
                )
            )
    return rows + [*_HEADS] if training else rows


def vocabulary_weights() -> list[WeightName]:
    """List the weights that have a row for each token of the vocabulary."""
    places = TIED_COPIES.values()
    return [row for row in (*_EMBEDDINGS, *_HEADS) if (row.layer, row.index) in places]


def _dense(layer: str, index: int, module: str) -> Iterator[WeightName]:
    """Kernel and bias; PyTorch's Linear keeps its kernel the other way round."""
    dotted = _dotted(module)
    yield WeightName(
        layer, index, f"{module}/kernel", f"{dotted}.weight", huggingface_transform="transpose"
    )
    yield WeightName(layer, index + 1, f"{module}/bias", f"{dotted}.bias")


def _norm(layer: str, module: str) -> Iterator[WeightName]:
    dotted = _dotted(module)
    yield WeightName(layer, 0, f"{module}/gamma", f"{dotted}.weight")
    yield WeightName(layer, 1, f"{module}/beta", f"{dotted}.bias")


def _embedding(layer: str, module: str) -> WeightName:
    return WeightName(layer, 0, module, f"{_dotted(module)}.weight")


def _dotted(module: str) -> str:
    """Hugging Face kept Google's module names but for the separators."""
    return module.replace("layer_", "layer.").replace("/", ".")


_EMBEDDINGS = (
    _embedding("Embedding-Token", "bert/embeddings/word_embeddings"),
    _embedding("Embedding-Segment", "bert/embeddings/token_type_embeddings"),
    _embedding("Embedding-Position", "bert/embeddings/position_embeddings"),
    *_norm("Embedding-Norm", "bert/embeddings/LayerNorm"),
)

# The model counts encoder layers from one, the files from zero.
_ATTENTION = "bert/encoder/layer_{}/attention"
_ENCODER = (
    *_dense("Encoder-{}-MultiHeadSelfAttention", 0, f"{_ATTENTION}/self/query"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 2, f"{_ATTENTION}/self/key"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 4, f"{_ATTENTION}/self/value"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 6, f"{_ATTENTION}/output/dense"),
    *_norm("Encoder-{}-MultiHeadSelfAttention-Norm", f"{_ATTENTION}/output/LayerNorm"),
    *_dense("Encoder-{}-FeedForward", 0, "bert/encoder/layer_{}/intermediate/dense"),
    *_dense("Encoder-{}-FeedForward", 2, "bert/encoder/layer_{}/output/dense"),
    *_norm("Encoder-{}-FeedForward-Norm", "bert/encoder/layer_{}/output/LayerNorm"),
)

_HEADS = (
    *_dense("MLM-Dense", 0, "cls/predictions/transform/dense"),
    *_norm("MLM-Norm", "cls/predictions/transform/LayerNorm"),
    WeightName("MLM-Sim", 0, "cls/predictions/output_bias", "cls.predictions.bias"),
    *_dense("NSP-Dense", 0, "bert/pooler/dense"),
    WeightName(
        "NSP",
        0,
        "cls/seq_relationship/output_weights",
        "cls.seq_relationship.weight",
        google_transform="transpose",
        huggingface_transform="transpose",
    ),
    WeightName("NSP", 1, "cls/seq_relationship/output_bias", "cls.seq_relationship.bias"),
)


class FoundWeight(NamedTuple):
    """A weight of the model, found in a checkpoint.

    Attributes:
        layer: Name of the model's layer.
        index: Place in that layer's ``get_weights()``.
        name: What the checkpoint calls it.
        transform: What turns the checkpoint's array into the model's.
        shape: Shape of the model's array.
    """

    layer: str
    index: int
    name: str
    transform: Transform
    shape: tuple[int, ...]


def find_weights(checkpoint: Checkpoint, transformer_num: int, training: bool) -> list[FoundWeight]:
    """Find a model's weights in a checkpoint, by Google's or by Hugging Face's names.

    Tensors that the model has no place for (optimizer state, other heads, further layers) are
    normal; ``extra_names`` lists them. Nothing is read but copies of tied weights, see Raises.

    Args:
        checkpoint: Where to look.
        transformer_num: Number of the model's encoder layers; a file may have more.
        training: Whether the model has the masked-language-model and next-sentence heads.

    Returns:
        One entry per weight, in the order of the model's layers.

    Raises:
        CheckpointError: Weights are missing (all of them are named), or the heads' copy of a
            weight that BERT has only once differs from it.
    """
    rows = weight_names(transformer_num, training)
    found_by_naming = {naming: find_rows(checkpoint, rows, naming) for naming in NAMINGS}
    naming = max(NAMINGS, key=lambda naming: len(found_by_naming[naming]))
    found = found_by_naming[naming]
    if not found:
        raise CheckpointError(
            f"{checkpoint.path} holds no weights of BERT, neither under Google's names "
            f"({rows[0].google}, ...) nor under Hugging Face's ({rows[0].huggingface}, ...). "
            f"It holds {summary(list(checkpoint))}."
        )
    if len(found) < len(rows):
        raise CheckpointError(_missing_message(checkpoint, rows, found, naming))
    if training and naming == "huggingface":
        check_tied(checkpoint, found)
    return list(found.values())


def extra_names(checkpoint: Checkpoint, found: Sequence[FoundWeight]) -> list[str]:
    """List the tensors of a checkpoint that ``find_weights`` did not need, in its order."""
    used = {weight.name for weight in found}
    return [name for name in checkpoint if name not in used]


def read_weight(checkpoint: Checkpoint, weight: FoundWeight) -> np.ndarray:
    """Read a weight as the model has it, in the type the file has; it may be a strided view."""
    return _transformed(checkpoint[weight.name], weight.transform)


def to_checkpoint(
    weights_by_layer: Mapping[str, Sequence[npt.ArrayLike]], naming: Naming
) -> dict[str, np.ndarray]:
    """Turn a model's weights into the tensors of a file, the inverse of reading them.

    Args:
        weights_by_layer: For each layer that has weights, what its ``get_weights()`` returns. The
            encoder layers are counted; the heads are written if 'MLM-Sim' is there.
        naming: 'google' or 'huggingface'.

    Returns:
        Arrays by name, in C order, as every format's writer wants them.

    Raises:
        ValueError: The layers are not those of a BERT model, or the naming is unknown.
    """
    if naming not in NAMINGS:
        raise ValueError(f"`naming` must be one of {NAMINGS}. Received: naming={naming!r}")
    transformer_num = 0
    while f"Encoder-{transformer_num + 1}-FeedForward" in weights_by_layer:
        transformer_num += 1
    rows = weight_names(transformer_num, training="MLM-Sim" in weights_by_layer)
    expected = Counter(row.layer for row in rows)
    given = {layer: len(weights) for layer, weights in weights_by_layer.items()}
    if wrong := sorted(dict(expected.items() ^ given.items())):
        differences = ", ".join(
            f"{layer} ({given.get(layer, 0)} instead of {expected[layer]})" for layer in wrong
        )
        raise ValueError(
            f"`weights_by_layer` must hold the weights of a BERT model of {transformer_num} "
            f"encoder layers and nothing else. Layers with other numbers of weights: {differences}"
        )
    tensors = {}
    for row in rows:
        name, transform = in_files(row, naming)
        array = np.asarray(weights_by_layer[row.layer][row.index])
        tensors[name] = np.asarray(_transformed(array, transform), order="C")
    return tensors


Found = dict[tuple[str, int], FoundWeight]

# Hugging Face's files may hold these a second time, under the names of the head that uses them.
TIED_COPIES = {
    "cls.predictions.decoder.weight": ("Embedding-Token", 0),
    "cls.predictions.decoder.bias": ("MLM-Sim", 0),
}


def in_files(row: WeightName, naming: Naming) -> tuple[str, Transform]:
    """Return a weight's full name under a naming, and what turns its array into the model's."""
    if naming == "google":
        return row.google, row.google_transform
    return row.huggingface, row.huggingface_transform


def _transformed(array: np.ndarray, transform: Transform) -> np.ndarray:
    return array.T if transform == "transpose" else array


def _spellings(name: str) -> Iterator[str]:
    """List the ways in which a weight has been named, today's first."""
    old_norm = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    old_norm = old_norm.replace("LayerNorm.bias", "LayerNorm.beta")
    decoder = name.replace("cls.predictions.bias", "cls.predictions.decoder.bias")
    for spelling in dict.fromkeys((name, old_norm, decoder)):
        yield spelling
        # A file of the encoder alone has names without it.
        yield spelling.removeprefix("bert.")


def find_rows(checkpoint: Checkpoint, rows: Sequence[WeightName], naming: Naming) -> Found:
    """Find those of the rows that the checkpoint has under one of the namings."""
    found = {}
    for row in rows:
        full_name, transform = in_files(row, naming)
        for name in _spellings(full_name):
            if name in checkpoint:
                shape = checkpoint.shape(name)
                if transform == "transpose":
                    shape = shape[::-1]
                found[row.layer, row.index] = FoundWeight(
                    row.layer, row.index, name, transform, shape
                )
                break
    return found


def check_tied(checkpoint: Checkpoint, found: Found) -> None:
    """Raise where the heads' copy of a weight that BERT has only once differs from it."""
    for copy, place in TIED_COPIES.items():
        original = found[place].name
        if copy in checkpoint and not checkpoint.are_equal(copy, original):
            raise CheckpointError(
                f"{checkpoint.path}: '{copy}' differs from '{original}'. BERT has one weight for "
                "both, so the heads of this file cannot be loaded; pass training=False for the "
                "encoder alone"
            )


def _missing_message(
    checkpoint: Checkpoint, rows: Sequence[WeightName], found: Found, naming: Naming
) -> str:
    missing = [row for row in rows if (row.layer, row.index) not in found]
    names = [in_files(row, naming)[0] for row in missing]
    unused = extra_names(checkpoint, list(found.values()))
    message = (
        f"{checkpoint.path} lacks {len(missing)} of the model's {len(rows)} weights:\n"
        f"{describe_missing(names, list(checkpoint), unused)}"
    )
    if all(row in _HEADS for row in missing):
        message += (
            "\nOnly weights of the heads are missing: training=False does without them, and "
            "allow_missing_heads=True lets a head that the file lacks start at random."
        )
    return message
