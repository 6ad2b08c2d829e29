"""From a checkpoint to a model."""

from __future__ import annotations

from collections import Counter

from . import activations
from .arguments import describe
from .backend import models, own_memory
from .bert import get_model
from .checkpoints import Checkpoint, CheckpointError, open_checkpoint
from .families.configuration import ConfigError, is_hugging_face, read_config
from .families.fitting import check_sizes, check_strangers, listed, transformer_num
from .families.translation import find_present_weights, with_changed_rows
from .families.weights import FoundWeight, find_weights, read_weight, weight_names
from .layers.initializer import overwritten
from .tokenizer.vocabulary import load_vocabulary
from .tokenizer.vocabulary_change import VocabularyChange

__all__ = [
    "build_model_from_config",
    "load_model_weights_from_checkpoint",
    "load_trained_model_from_checkpoint",
    "load_vocabulary",
]


def checkpoint_loader(checkpoint_file):
    """A function from the name of a tensor in a checkpoint to its values, a numpy array."""
    checkpoint = open_checkpoint(checkpoint_file)
    return lambda name: checkpoint[name]


def build_model_from_config(
    config_file,
    training=False,
    trainable=None,
    output_layer_num=1,
    seq_len=int(1e9),
    **kwargs,
):
    """Build an untrained model from a configuration.

    "gelu" means the tanh form in Google's configurations and the exact one in Hugging Face's.

    Args:
        config_file: Path of a `bert_config.json` or of a Hugging Face `config.json`.
        training: Whether the model has the MLM and NSP heads.
        trainable: As in `get_model`.
        output_layer_num: As in `get_model`.
        seq_len: Length of the sequences, cut to the positions that the configuration has; None for
            a model of any length up to them.
        **kwargs: Further arguments of `get_model`, such as `use_task_embed`; they have precedence
            over the configuration.

    Returns:
        The model, and the configuration with `max_position_embeddings` set to the number of
        positions in use.

    Raises:
        ConfigError: If the configuration is damaged or not BERT's (a ValueError).
        OSError: If the file cannot be read.
    """
    config = read_config(config_file)
    return _build(
        config, is_hugging_face(config), training, trainable, output_layer_num, seq_len, kwargs
    )


def _build(config, exact_gelu, training, trainable, output_layer_num, seq_len, kwargs):
    if seq_len is not None:
        if seq_len < 1:
            raise ValueError(f"`seq_len` must be positive or None. Received: seq_len={seq_len}.")
        config["max_position_embeddings"] = seq_len = min(
            seq_len, config["max_position_embeddings"]
        )
    try:
        activation = activations.get(config["hidden_act"])
    except ValueError as error:
        raise ConfigError(
            f"`hidden_act` in the configuration must be an activation that Keras knows, such as "
            f"'gelu'. Received: {config['hidden_act']!r}."
        ) from error
    if exact_gelu and config["hidden_act"] == "gelu":
        activation = activations.gelu_erf
    model = get_model(
        **{
            "token_num": config["vocab_size"],
            "pos_num": config["max_position_embeddings"],
            "seq_len": seq_len,
            "embed_dim": config["hidden_size"],
            "transformer_num": config["num_hidden_layers"],
            "head_num": config["num_attention_heads"],
            "feed_forward_dim": config["intermediate_size"],
            "feed_forward_activation": activation,
            "training": training,
            "trainable": trainable,
            "output_layer_num": output_layer_num,
            "segment_num": config.get("type_vocab_size", 2),
            "layer_norm_epsilon": config.get("layer_norm_eps", 1e-12),
            **kwargs,
        }
    )
    if not training:
        model = models.Model(*model)
    return model, config


def load_model_weights_from_checkpoint(
    model, config, checkpoint_file, training=False, *, allow_missing_heads=False
):
    """Fill a model with the weights of a checkpoint.

    Args:
        model: A model of `build_model_from_config` or of `get_model`; it may have fewer encoder
            layers than the file.
        config: The configuration that came with the model; its `max_position_embeddings` rows of
            the position table are read.
        checkpoint_file: Prefix of a TensorFlow checkpoint (`…/bert_model.ckpt`), or path of a
            `.safetensors` or PyTorch `.bin` file.
        training: Whether to fill the MLM and NSP heads too.
        allow_missing_heads: Whether heads that the file lacks stay as they are, instead of an
            error.

    Raises:
        CheckpointError: If the file is damaged, or its tensors do not fit the model (a ValueError).
        OSError: If the file cannot be read.
    """
    with open_checkpoint(checkpoint_file) as checkpoint:
        _fill(model, config, checkpoint, training, allow_missing_heads)


def load_trained_model_from_checkpoint(
    config_file,
    checkpoint_file,
    training=False,
    trainable=None,
    output_layer_num=1,
    seq_len=int(1e9),
    *,
    vocabulary_change=None,
    allow_missing_heads=False,
    **kwargs,
):
    """Build a model and fill it with the weights of a checkpoint.

    The activation "gelu" means the tanh form with a TensorFlow checkpoint, as in Google's code, and
    the exact form with a `.safetensors` or `.bin` file, as in Hugging Face's.

    Args:
        config_file: Path of a `bert_config.json` or of a Hugging Face `config.json`.
        checkpoint_file: Prefix of a TensorFlow checkpoint (`…/bert_model.ckpt`), or path of a
            `.safetensors` or PyTorch `.bin` file.
        training: Whether the model has the MLM and NSP heads.
        trainable: As in `get_model`.
        output_layer_num: As in `get_model`.
        seq_len: Length of the sequences, cut to the positions that the configuration has; None for
            a model of any length up to them.
        vocabulary_change: A `VocabularyChange`, to load the model with fewer or further tokens
            than the checkpoint has.
        allow_missing_heads: With `training=True`, whether heads that the checkpoint lacks start at
            random, instead of an error. Files of `BertForMaskedLM`, for one, have no NSP head.
        **kwargs: Further arguments of `get_model`, such as `use_task_embed`; they have precedence
            over the configuration.

    Returns:
        The model. Layers that the checkpoint knows nothing of, such as Embedding-Task, are
        initialised at random.

    Raises:
        ConfigError: If the configuration is damaged or not BERT's (a ValueError).
        CheckpointError: If the checkpoint is damaged, or its tensors do not fit the model (a
            ValueError).
        ValueError: If `vocabulary_change` starts from a vocabulary of another size.
        OSError: If a file cannot be read.
    """
    config = read_config(config_file)
    with open_checkpoint(checkpoint_file) as checkpoint:
        depth = transformer_num(config, checkpoint)
        found = _find(checkpoint, depth, training, allow_missing_heads)
        check_sizes(config, checkpoint, found)
        if vocabulary_change is not None:
            checkpoint = _changed(config, checkpoint, vocabulary_change)
        exact_gelu = checkpoint.format != "tensor_bundle"
        # The largest weight starts as what it is: random values first would need its memory twice.
        kwargs["token_initializer"] = lambda shape, dtype=None: _read(checkpoint, found[0])
        with overwritten():
            model, config = _build(
                config, exact_gelu, training, trainable, output_layer_num, seq_len, kwargs
            )
        _fill(model, config, checkpoint, training, allow_missing_heads, done=("Embedding-Token",))
    return model


_HEADS = (("MLM-Dense", "MLM-Norm", "MLM-Sim"), ("NSP-Dense",), ("NSP",))


def _find(
    checkpoint: Checkpoint, depth: int, training: bool, allow_missing_heads: bool
) -> list[FoundWeight]:
    """Find the weights of the encoder, and with `training` those of the heads."""
    if not (training and allow_missing_heads):
        return find_weights(checkpoint, depth, training)
    found = find_present_weights(checkpoint, depth)
    present = Counter(weight.layer for weight in found)
    whole = Counter(row.layer for row in weight_names(depth, training))
    for head in _HEADS:
        if any(present[layer] for layer in head) and any(
            present[layer] < whole[layer] for layer in head
        ):
            return find_weights(checkpoint, depth, training)  # names what half a head lacks
    return found


def _changed(config: dict, checkpoint: Checkpoint, change) -> Checkpoint:
    """Let a checkpoint and its configuration be those of another vocabulary."""
    if not isinstance(change, VocabularyChange):
        raise TypeError(
            f"`vocabulary_change` must be a VocabularyChange. Received: {describe(change)}"
        )
    old, new = config["vocab_size"], len(change.vocabulary)
    change.check_size(old)
    config["vocab_size"] = new
    return with_changed_rows(checkpoint, old, new, change.rows)


def _fill(
    model, config: dict, checkpoint: Checkpoint, training: bool, allow_missing_heads: bool, done=()
) -> None:
    """Check every tensor against the model, then read and assign those not done yet, one by one."""
    layer_names = {layer.name for layer in model.layers}
    depth = config["num_hidden_layers"]
    while depth and f"Encoder-{depth}-FeedForward" not in layer_names:
        depth -= 1
    found = _find(checkpoint, depth, training, allow_missing_heads)
    check_strangers(checkpoint, found, depth)
    rows = config["max_position_embeddings"]
    variables = [model.get_layer(weight.layer).weights[weight.index] for weight in found]
    _check_shapes(checkpoint, found, variables, rows)
    for weight, variable in zip(found, variables, strict=True):
        if weight.layer not in done:
            values = _read(checkpoint, weight)
            variable.assign(values[:rows] if weight.layer == "Embedding-Position" else values)


def _read(checkpoint: Checkpoint, weight: FoundWeight):
    """Values of a weight in at least 32 bits; numpy and PyTorch share no bfloat16."""
    values = read_weight(checkpoint, weight)
    if values.dtype.itemsize < 4:
        return values.astype("float32")
    return own_memory(values)


def _check_shapes(checkpoint: Checkpoint, found: list[FoundWeight], variables, rows: int) -> None:
    misfits = []
    for weight, variable in zip(found, variables, strict=True):
        shape, wanted = tuple(weight.shape), tuple(variable.shape)
        if weight.layer == "Embedding-Position" and len(shape) == 2:
            shape = (min(shape[0], rows), shape[1])
        if shape != wanted:
            misfits.append(f"{weight.name} is {tuple(weight.shape)}, {weight.layer} takes {wanted}")
        dtype = checkpoint.dtype(weight.name)
        if dtype.name not in ("float16", "bfloat16", "float32", "float64"):
            misfits.append(f"{weight.name} holds {dtype.name}, {weight.layer} takes floats")
    if misfits:
        raise CheckpointError(
            f"{checkpoint.path} does not fit the model (shapes as the model has them): "
            f"{listed(misfits, '; ')}."
        )
