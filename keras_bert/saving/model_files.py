"""Saved Keras models of BERT on their way from and to the formats of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import describe
from ..backend import activations, calls, is_quantized, keras, models, ops
from ..checkpoints import open_checkpoint
from ..checkpoints.paths import get_checkpoint_paths
from ..families import BERT, FAMILIES, family_of
from ..families.configuration import read_config
from ..families.family import Family
from ..families.fitting import unwarned_of_head
from ..families.weights import find_weights, to_checkpoint
from ..layers import MultiHeadAttention
from ..layers.projection import ProjectionLayer
from ..loader import gelu_of, load_trained_model_from_checkpoint
from ..tokenizer import SentencePieceTokenizer, Tokenizer
from ..tokenizer.vocabulary_change import VocabularyChange
from .conversion import ConvertibleModel, check_tokenizer, vocabulary_of
from .custom_objects import get_custom_objects
from .new_files import new_file


def read_model_file(
    path: Path, vocabulary: Mapping[str, int] | Path | None, cased: bool
) -> ConvertibleModel:
    """Read a `.keras` or `.h5` file of a model of `get_model` or of the loaders.

    Such a file does not hold the vocabulary, nor whether texts keep their case.

    Raises:
        ValueError: If the model is not of that kind, or has parts that a checkpoint cannot hold.
    """
    model = models.load_model(path, custom_objects=get_custom_objects(), compile=False)
    return convertible_model(model, vocabulary, cased, source=str(path))


def convertible_model(
    model: models.Model,
    vocabulary: Mapping[str, int] | Path | None,
    cased: bool,
    without: Collection[str] = (),
    source: str = "`model`",
    family: Family | None = None,
) -> ConvertibleModel:
    """Turn a model of `get_model` or of the loaders into what conversions write.

    Args:
        model: The model.
        vocabulary: Its vocabulary, as in `ConvertibleModel`.
        cased: Whether texts keep their case.
        without: Names of layers with weights that are left to the caller, such as a head's.
        source: What messages call it.
        family: Its family, where that is known; models of some compute the same.

    Raises:
        ValueError: If other layers are not those of a family, or a checkpoint cannot hold them.
    """
    weights = {layer.name: checkpoint_weights(layer) for layer in model.layers if layer.weights}
    called = [layer.name for layer, _ in calls(model, MultiHeadAttention)]
    if family is None:
        family = next(each for each in FAMILIES if each.of_model(weights, called) is not None)
        if family is BERT:  # others may have the same layers, and `write_model_file` names them
            family = next((each for each in FAMILIES if each.model_type == model.name), BERT)
    own_config = family.of_model(weights, called) or family.config_of_model(weights, called)
    weights = {name: arrays for name, arrays in weights.items() if name not in without}
    # Of whatever models, this tells whether the layers are the family's and nothing else.
    try:
        to_checkpoint(weights, "huggingface", family, own_config)
    except ValueError as error:
        raise ValueError(
            f"{source} is another model than get_model and the loaders make. A classifier that "
            "load_task_model made is written by save_task_model(model, labels, folder, "
            "tokenizer=load_tokenizer(vocab_path)); with other layers of one's own, it is for "
            f"Keras' save and load_model alone. {error}"
        ) from None
    config = {**_config_of(model, family), **own_config}
    return ConvertibleModel(
        family,
        config,
        lambda naming: to_checkpoint(weights, naming, family, config),
        vocabulary,
        cased,
        [],
    )


def convertible_with_tokenizer(
    model: models.Model,
    tokenizer: Tokenizer,
    without: Collection[str],
    family: Family | None = None,
) -> ConvertibleModel:
    """Turn a model and its tokenizer into what conversions write.

    Arguments are those of `convertible_model`, with the tokenizer in place of what it tells.

    Raises:
        ValueError: As of `convertible_model`, and if the tokenizer has more tokens than the model.
    """
    vocabulary, cased = vocabulary_of(tokenizer), bool(tokenizer._cased)
    files = convertible_model(model, vocabulary, cased, without, family=family)
    check_tokenizer(files)
    keep_accents = None
    if isinstance(tokenizer, SentencePieceTokenizer):
        keep_accents = tokenizer._keep_accents
    return files._replace(text_rules=tokenizer._text_rules, keep_accents=keep_accents)


def write_model_file(
    path: Path,
    folder: Path,
    vocabulary_change: VocabularyChange | None = None,
    loaded: Callable[[], None] = lambda: None,
) -> list[str]:
    """Save the model of a folder as a `.keras` file, for texts of any length.

    Args:
        path: The file.
        folder: The folder.
        vocabulary_change: As for `load_trained_model_from_checkpoint`.
        loaded: Called when the model is loaded and about to be saved.

    Returns:
        Names of the heads' tensors that are lost: a Keras model has all heads or none.

    Raises:
        CheckpointError, ConfigError: As for `load_trained_model_from_checkpoint`.
        OSError: If a file is there already, or cannot be read or written.
    """
    paths = get_checkpoint_paths(folder)
    with open_checkpoint(paths.checkpoint) as checkpoint:
        config = read_config(paths.config, checkpoint)
        family = family_of(config, checkpoint)
        found = find_weights(family, config, checkpoint, heads="any")
    encoder = family.encoder(config, family.depth(config))
    present = {weight.row for weight in found}
    heads = family.heads_beside(present)
    training = present.issuperset(heads)
    lost = present.difference(encoder, heads if training else ())
    with new_file(path) as unfinished:
        with unwarned_of_head():  # a conversion leaves it as it is
            model = load_trained_model_from_checkpoint(
                *(paths.config, paths.checkpoint, training),
                seq_len=None,
                vocabulary_change=vocabulary_change,
            )
        if family.model_type is not None:
            model = models.Model(model.inputs, model.outputs, name=family.model_type)
        loaded()
        try:
            model.save(unfinished)
        except RuntimeError as error:  # of HDF5, on a full disk
            raise OSError(f"{path} could not be written: {error}") from error
    return [weight.name for weight in found if weight.row in lost]


def check_model(model: Any) -> None:
    """Refuse what is no model."""
    if not isinstance(model, models.Model):
        raise TypeError(f"`model` must be a Model. Received: {describe(model)}.")


def dense_weights(layer: Any) -> list[np.ndarray]:
    """Kernel and bias of a Dense layer, with what LoRA adds to the kernel.

    Raises:
        ValueError: If the layer is quantized.
    """
    if is_quantized(layer):
        raise ValueError(
            f"The layer {layer.path} of `model` is quantized, and quantized weights are for Keras' "
            "save and export alone. Save the model before it is quantized."
        )
    kernel = ops.convert_to_numpy(layer.kernel)  # to which Keras has added what LoRA learnt
    return [kernel, ops.convert_to_numpy(layer.bias)] if layer.use_bias else [kernel]


def checkpoint_weights(layer: Any) -> list[np.ndarray]:
    """The weights of a layer as checkpoints hold them, with what LoRA adds to its kernels."""
    if isinstance(layer, ProjectionLayer):
        return [each for dense in layer.dense_layers().values() for each in dense_weights(dense)]
    return dense_weights(layer) if type(layer) is keras.layers.Dense else layer.get_weights()


def _config_of(model: models.Model, family: Family) -> dict[str, Any]:
    """The configuration that builds a model again, without keys of the family's own."""
    layers = {layer.name: layer for layer in model.layers}
    attention = layers["Encoder-1-MultiHeadSelfAttention"]
    if attention.activation not in (None, activations.linear):
        raise ValueError(
            "A checkpoint cannot hold `attention_activation`. Received: a model with "
            f"{attention.activation.__name__}."
        )
    sizes = {
        key: layers[layer].get_weights()[index].shape[axis]
        for key, (layer, index, axis) in family.shapes.items()
        if layer in layers  # a family may do without, as ERNIE without tasks
    }
    dropout = layers.get("Embedding-Dropout")
    return {
        "attention_probs_dropout_prob": 0.0,  # this library's models have none
        "hidden_act": gelu_of(model) or layers["Encoder-1-FeedForward"].activation.__name__,
        "hidden_dropout_prob": dropout.rate if dropout else 0.0,
        "initializer_range": 0.02,
        # 0.89 wrote 1e-14, which in float32 gives the same.
        "layer_norm_eps": max(layers["Embedding-Norm"].epsilon, 1e-12),
        "num_attention_heads": attention.head_num,
        "num_hidden_layers": sum(name.endswith("-FeedForward") for name in layers),
        **sizes,
    }
