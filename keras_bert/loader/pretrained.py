"""From a checkpoint to a model."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import activations
from ..arguments import check_number, describe
from ..backend import check_values_stay, models, own_memory, set_values
from ..bert import get_model
from ..checkpoints import Checkpoint, CheckpointError, open_checkpoint
from ..checkpoints.listing import listed
from ..datasets.official import is_meant
from ..families import ConfigError, family_of
from ..families.configuration import activation_name, read_config
from ..families.family import Family
from ..families.fitting import (
    UNTRAINED_HEAD,
    check_fit,
    check_unexpected_tensors,
    has_untrained_head,
)
from ..families.translation import with_changed_rows
from ..families.weights import FoundWeight, Heads, find_weights
from ..layers.initializer import overwritten
from ..tokenizer.vocabulary_change import VocabularyChange

_GELU_NAMES = {activations.gelu_tanh: "gelu_tanh", activations.gelu_erf: "gelu_erf"}


def _open(checkpoint_file: str | os.PathLike[str]) -> Checkpoint:
    """Open a checkpoint; `get_checkpoint_paths` takes any name of a folder, also a mistyped one."""
    try:
        return open_checkpoint(checkpoint_file)
    except FileNotFoundError as error:
        folder = os.path.dirname(checkpoint_file)
        question = "" if os.path.isdir(folder) else is_meant(os.fspath(folder))
        if not question:
            raise
        raise FileNotFoundError(f"{error}{question}") from None


def checkpoint_loader(checkpoint_file: str | os.PathLike[str]) -> Callable[[str], np.ndarray]:
    """A function from the name of a tensor in a checkpoint to its values, a numpy array."""
    checkpoint = open_checkpoint(checkpoint_file)
    return lambda name: checkpoint[name]


def load_trained_model_from_checkpoint(
    config_file: str | os.PathLike[str] | None,
    checkpoint_file: str | os.PathLike[str],
    training: bool = False,
    trainable: bool | Sequence[str] | None = None,
    output_layer_num: int | Sequence[int] = 1,
    seq_len: int | None = int(1e9),
    *,
    vocabulary_change: VocabularyChange | None = None,
    allow_missing_heads: bool = False,
    **kwargs: Any,
) -> models.Model:
    """Build a model and fill it with the weights of a checkpoint.

    The activation "gelu" means the tanh form with a TensorFlow checkpoint, as in Google's code, and
    the exact form with a `.safetensors`, `.bin` or `.h5` file, as in Hugging Face's.

    Args:
        config_file: Path of a `bert_config.json` or of a Hugging Face `config.json`; None where
            the sizes follow from the checkpoint, as in the SavedModels of TensorFlow Hub.
        checkpoint_file: Prefix of a TensorFlow checkpoint (`…/bert_model.ckpt`, or in a SavedModel
            `…/variables/variables`), or path of a `.safetensors` or PyTorch `.bin` file, or of the
            `tf_model.h5` of transformers 4.
        training: Whether the model has the MLM and NSP heads.
        trainable: As in `get_model`.
        output_layer_num: As in `get_model`.
        seq_len: Length of the sequences, cut to the positions that the configuration has; None for
            a model of any length up to them.
        vocabulary_change: A `VocabularyChange`, to load the model with fewer or further tokens
            than the checkpoint has.
        allow_missing_heads: With `training=True`, whether heads that the checkpoint lacks start at
            random, instead of an error. Files of `BertForMaskedLM`, for one, have no NSP head.
        **kwargs: Further arguments of `get_model`, such as `use_task_embed`; they take precedence
            over the configuration. (The checkpoint takes the place of `token_initializer`.)

    Returns:
        The model. Layers that the checkpoint knows nothing of, such as Embedding-Task, are
        initialised at random.

    Raises:
        ConfigError: If the configuration is damaged or of another family (a ValueError).
        CheckpointError: If the checkpoint is damaged, or its tensors do not fit the model (a
            ValueError).
        TypeError: If an argument has the wrong type.
        ValueError: If an argument is out of range, or `vocabulary_change` starts from a vocabulary
            of another size.
        OSError: If a file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, get_checkpoint_paths
        >>> from keras_bert import load_trained_model_from_checkpoint
        >>> paths = get_checkpoint_paths(PretrainedList.tiny)
        >>> model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=64)
        >>> model.output_shape
        (None, 64, 128)
    """
    check_values_stay()
    _check_training(training)
    with _open(checkpoint_file) as checkpoint:
        config = read_config(config_file, checkpoint)
        family = family_of(config, checkpoint)
        asks_for_both = "NSP" in (kwargs.get("heads") or ())
        heads = _heads(training, allow_missing_heads, needs_optional=asks_for_both)
        found = find_weights(family, config, checkpoint, heads)
        check_fit(family, config, checkpoint, found)
        _warn_of_untrained_head(family, checkpoint, found)
        if vocabulary_change is not None:
            checkpoint = _change_vocabulary(config, checkpoint, found, vocabulary_change)
        tokens = found[0]
        # The largest weight starts as what it is: random values first would need its memory twice.
        kwargs["token_initializer"] = lambda shape, dtype=None: _read(checkpoint, tokens)
        activation = activation_name(config, checkpoint)
        present = {weight.row for weight in found}
        if family.optional_head and not (allow_missing_heads or family.has_optional_head(present)):
            kwargs.setdefault("heads", ("MLM",))
        with overwritten():
            model, config = _build(
                family, config, activation, training, trainable, output_layer_num, seq_len, kwargs
            )
        fill(model, config, checkpoint, _of_heads_held(model, family, found), skip=tokens)
    return model


def build_model_from_config(
    config_file: str | os.PathLike[str],
    training: bool = False,
    trainable: bool | Sequence[str] | None = None,
    output_layer_num: int | Sequence[int] = 1,
    seq_len: int | None = int(1e9),
    **kwargs: Any,
) -> tuple[models.Model, dict[str, Any]]:
    """Build an untrained model from a configuration.

    "gelu" means the tanh form in Google's configurations and the exact one in Hugging Face's.
    The arguments are those that `load_trained_model_from_checkpoint` has too.

    Returns:
        The model, and the configuration with `max_position_embeddings` set to the number of
        positions in use and, where `feed_forward_activation` is given and is a GELU, `hidden_act`
        to its form.

    Raises:
        ConfigError: If the configuration is damaged or of another family (a ValueError).
        TypeError: If an argument has the wrong type.
        OSError: If the file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, build_model_from_config, get_checkpoint_paths
        >>> paths = get_checkpoint_paths(PretrainedList.tiny)
        >>> model, config = build_model_from_config(paths.config, training=True, seq_len=64)
        >>> model.output_shape
        [(None, 64, 30522), (None, 2)]
        >>> config["max_position_embeddings"]
        64
    """
    _check_training(training)
    config = read_config(config_file)
    family, activation = family_of(config), activation_name(config)
    return _build(
        family, config, activation, training, trainable, output_layer_num, seq_len, kwargs
    )


def load_model_weights_from_checkpoint(
    model: models.Model,
    config: Mapping[str, Any] | None,
    checkpoint_file: str | os.PathLike[str],
    training: bool = False,
    *,
    allow_missing_heads: bool = False,
) -> None:
    """Fill a model with the weights of a checkpoint.

    Args:
        model: A model of `build_model_from_config` or of `get_model`; it may have fewer encoder
            layers than the file.
        config: The configuration that came with the model; its `max_position_embeddings` rows of
            the position table are read. None where the sizes follow from the checkpoint; then as
            many rows as the model has.
        checkpoint_file: As in `load_trained_model_from_checkpoint`.
        training: Whether to fill the MLM and NSP heads too.
        allow_missing_heads: Whether heads that the file lacks stay as they are, instead of an
            error.

    Raises:
        CheckpointError: If the file is damaged, or its tensors do not fit the model, or its "gelu"
            is another than the model's (a ValueError).
        OSError: If the file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, build_model_from_config, get_checkpoint_paths
        >>> from keras_bert import load_model_weights_from_checkpoint
        >>> paths = get_checkpoint_paths(PretrainedList.tiny)
        >>> model, config = build_model_from_config(paths.config, seq_len=64)
        >>> load_model_weights_from_checkpoint(model, config, paths.checkpoint)
        >>> model.get_layer("Embedding-Position").get_weights()[0].shape
        (64, 128)
    """
    check_values_stay()
    _check_training(training)
    with open_checkpoint(checkpoint_file) as checkpoint:
        if config is None:
            config = _config_for(model, checkpoint)
        family = family_of(config, checkpoint)
        config = _of_model(model, family, config)
        _check_activation(model, config, checkpoint)
        optional = family.heads.get(family.optional_head, ())
        needs_optional = not {row.layer for row in optional}.isdisjoint(_layer_names(model))
        heads = _heads(training, allow_missing_heads, needs_optional)
        found = find_weights(family, config, checkpoint, heads)
        check_unexpected_tensors(family, config, checkpoint, found)
        _warn_of_untrained_head(family, checkpoint, found)
        fill(model, config, checkpoint, _of_heads_held(model, family, found))


def _check_training(training: Any) -> None:
    """Refuse a path: of `get_checkpoint_paths`, the third is that of the vocabulary."""
    if isinstance(training, (str, bytes, os.PathLike)):
        raise TypeError(
            "`training` must be True or False; of the paths of get_checkpoint_paths, pass `config` "
            f"and `checkpoint` alone. Received: {describe(training)}."
        )


def _of_model(model: models.Model, family: Family, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with as many encoder layers as the model has, if these are fewer.

    Its keys are the usual ones, whether `read_config` or the user has read it.
    """
    config = {family.renamed_keys.get(key, key): value for key, value in config.items()}
    layer_names = _layer_names(model)
    depth = family.depth(config)
    while depth and f"Encoder-{depth}-FeedForward" not in layer_names:
        depth -= 1
    return config if depth == family.depth(config) else {**config, "num_hidden_layers": depth}


def _config_for(model: models.Model, checkpoint: Checkpoint) -> dict[str, Any]:
    """The configuration that follows from a checkpoint, for a model that has been built by hand."""
    config = read_config(None, checkpoint)
    layers = {layer.name: layer for layer in model.layers}
    attention = layers.get("Encoder-1-MultiHeadSelfAttention")
    # The weights of other heads have the same shapes.
    if attention is not None and attention.head_num != config["num_attention_heads"]:
        raise CheckpointError(
            f"{checkpoint.path} has {config['num_attention_heads']} attention heads, and the model "
            f"{attention.head_num}: build it with the checkpoint's number."
        )
    if "Embedding-Position" in layers:
        positions = layers["Embedding-Position"].weights[0].shape[0]
        config["max_position_embeddings"] = min(config["max_position_embeddings"], positions)
    return config


def gelu_of(model: models.Model) -> str | None:
    """Name the form of GELU in a model's feed-forward layers; None where it is no GELU."""
    found = [layer.activation for layer in model.layers if layer.name == "Encoder-1-FeedForward"]
    return _GELU_NAMES.get(activations.get(found[0])) if found else None


def _heads(training: bool, allow_missing_heads: bool, needs_optional: bool) -> Heads:
    """Which heads a checkpoint must have."""
    if not training:
        return "none"
    if allow_missing_heads:
        return "all or none"
    return "all" if needs_optional else "all but optional"


def _of_heads_held(
    model: models.Model, family: Family, found: list[FoundWeight]
) -> list[FoundWeight]:
    """Leave out weights of heads that the model does not have, if it has another."""
    held, heads = _layer_names(model), family.head_rows()
    if held.isdisjoint(row.layer for row in heads):
        return found
    return [each for each in found if each.row not in heads or each.row.layer in held]


def _layer_names(model: models.Model) -> set[str]:
    return {layer.name for layer in model.layers}


def _warn_of_untrained_head(
    family: Family, checkpoint: Checkpoint, found: list[FoundWeight]
) -> None:
    if has_untrained_head(family, checkpoint, found):
        warnings.warn(
            f"{checkpoint.path}: {UNTRAINED_HEAD} (its biases are 0, its norm is 1 and 0). Train "
            "it first, or pass training=False for the encoder alone.",
            stacklevel=3,  # the caller of the loader
        )


def _build(family, config, activation, training, trainable, output_layer_num, seq_len, kwargs):
    """Build a model of a configuration whose activation has been decided."""
    config = dict(config)
    if seq_len is not None:
        check_number("seq_len", seq_len)
        if seq_len < 1:
            raise ValueError(f"`seq_len` must be positive or None. Received: seq_len={seq_len}.")
        seq_len = min(seq_len, config["max_position_embeddings"])
        config["max_position_embeddings"] = seq_len
    try:
        activations.get(activation)
    except ValueError as error:
        raise ConfigError(
            f"`hidden_act` in the configuration must be an activation that Keras knows, such as "
            f"'gelu'. Received: {activation!r}."
        ) from error
    if "feed_forward_activation" in kwargs:
        chosen = activations.get(kwargs["feed_forward_activation"])
        config["hidden_act"] = _GELU_NAMES.get(chosen, config["hidden_act"])
    model = get_model(
        **{
            **family.arguments(config),
            "seq_len": seq_len,
            "feed_forward_activation": activation,
            "training": training,
            "trainable": trainable,
            "output_layer_num": output_layer_num,
            **kwargs,
        }
    )
    return model if training else models.Model(*model), config


def _check_activation(model: models.Model, config: dict[str, Any], checkpoint: Checkpoint) -> None:
    """Refuse a model that computes the other "gelu" than the checkpoint was trained with.

    A model is built before its checkpoint is known: the configuration's keys have decided.
    """
    if config.get("hidden_act") != "gelu":
        return
    built, meant = gelu_of(model), activation_name(config, checkpoint)
    if built not in (None, meant):
        raise CheckpointError(
            f'"gelu" in the configuration means {meant!r} with {checkpoint.path}, and the model '
            f"has been built with {built!r}. Use load_trained_model_from_checkpoint, or build the "
            f"model with feed_forward_activation={meant!r}. If {built!r} is wanted, say so by "
            f"feed_forward_activation={built!r} in build_model_from_config, or by "
            f"config['hidden_act'] = {built!r}."
        )


def _change_vocabulary(
    config: dict[str, Any], checkpoint: Checkpoint, found: list[FoundWeight], change: Any
) -> Checkpoint:
    """Return the checkpoint with the rows of another vocabulary; sets `config["vocab_size"]`."""
    if not isinstance(change, VocabularyChange):
        raise TypeError(
            f"`vocabulary_change` must be a VocabularyChange. Received: {describe(change)}"
        )
    old, new = config["vocab_size"], len(change.vocabulary)
    change.check_size(old)
    config["vocab_size"] = new
    return with_changed_rows(checkpoint, found, old, new, change.rows)


def fill(model, config, checkpoint: Checkpoint, found: list[FoundWeight], skip=None) -> None:
    """Check all weights against the model, then read and assign them, except `skip`."""
    held = _layer_names(model)
    variables = {
        weight: model.get_layer(weight.row.layer).weights[weight.row.index]
        for weight in found
        # `output_layer_num` and `transformer_num` may leave out the last encoder layers.
        if weight.row.layer in held or not weight.row.layer.startswith("Encoder-")
    }
    positions = config["max_position_embeddings"]
    _check_shapes(checkpoint, variables, positions)

    def read(weight):
        values = _read(checkpoint, weight)
        return values[:positions] if weight.row.layer == "Embedding-Position" else values

    set_values((variable, read(weight)) for weight, variable in variables.items() if weight != skip)


def _read(checkpoint: Checkpoint, weight: FoundWeight) -> np.ndarray:
    """Values of a weight in at least 32 bits; numpy and PyTorch share no bfloat16."""
    values = weight.read(checkpoint)
    if values.dtype.itemsize < 4:
        return values.astype("float32")
    return own_memory(values)


def _check_shapes(
    checkpoint: Checkpoint, variables: Mapping[FoundWeight, Any], positions: int
) -> None:
    misfits = []
    for weight, variable in variables.items():
        layer, shape, wanted = weight.row.layer, weight.shape(checkpoint), tuple(variable.shape)
        held = shape
        if layer == "Embedding-Position" and len(shape) == 2:
            held = (min(shape[0], positions), shape[1])
        if held != wanted:
            misfits.append(f"{weight.name} is {shape}, {layer} takes {wanted}")
        dtype = checkpoint.dtype(weight.name)
        if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
            misfits.append(f"{weight.name} holds {dtype.name}, {layer} takes floats")
    if misfits:
        raise CheckpointError(
            f"{checkpoint.path} does not fit the model (shapes as the model has them): "
            f"{listed(misfits, '; ')}."
        )
