"""The configuration of a model whose files have none, from the shapes of its weights."""

from __future__ import annotations

import re
from typing import Any

from ..checkpoints import Checkpoint
from ..checkpoints.listing import summary
from .family import ConfigError

_LAYER = re.compile(r"(?:bert|electra)/encoder/layer_(\d+)/")
_QUERY = "/encoder/layer_0/attention/self/query/kernel"
_SHARED_QUERY = "bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel"
# Names of tables and kernels, and the size that each axis tells.
_SHAPES = (
    ("/embeddings/word_embeddings", {"vocab_size": 0, "hidden_size": 1}),
    ("/embeddings/position_embeddings", {"max_position_embeddings": 0}),
    ("/embeddings/token_type_embeddings", {"type_vocab_size": 0}),
    ("/encoder/layer_0/intermediate/dense/kernel", {"intermediate_size": 1}),
)
# Where the embeddings are narrower than the encoder.
_PROJECTION = ("/embeddings_project/kernel", {"embedding_size": 0, "hidden_size": 1})


def inferred_config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the configuration of a BERT or ELECTRA of TensorFlow Hub or of the Model Garden.

    Its attention keeps an axis for the heads, from which their number follows. The activation shows
    nowhere; it is Google's "gelu".

    Raises:
        ConfigError: If the checkpoint is of another kind or lacks what tells a size.
    """
    if _SHARED_QUERY in checkpoint:
        raise ConfigError(
            f"{checkpoint.path} has no configuration beside it, and ALBERT's layers share their "
            "weights, which do not tell the number of layers: pass its configuration, "
            "albert_config.json."
        )
    scope = "electra" if f"electra{_QUERY}" in checkpoint else "bert"
    query = f"{scope}{_QUERY}"
    stored = checkpoint.stored_shape(query) if query in checkpoint else ()
    if len(stored) != 3:
        raise ConfigError(
            f"{checkpoint.path} has no configuration beside it, and its weights do not tell the "
            "number of heads, as those of TensorFlow Hub's SavedModels of BERT do: pass its "
            "configuration, such as bert_config.json or albert_config.json. It holds "
            f"{summary(list(checkpoint))}."
        )
    config: dict[str, Any] = {"hidden_act": "gelu", "num_attention_heads": stored[1]}
    for suffix, axes in (*_SHAPES, _PROJECTION) if scope == "electra" else _SHAPES:
        name = scope + suffix
        shape = checkpoint.shape(name) if name in checkpoint else ()
        if len(shape) != 2 or 0 in shape:
            found = f"its shape is {shape}" if name in checkpoint else "there is none"
            raise ConfigError(
                f"The configuration does not follow from {checkpoint.path}, whose '{name}' must be "
                f"a matrix: {found}."
            )
        config |= {key: shape[axis] for key, axis in axes.items()}
    layers = {int(match[1]) for name in checkpoint if (match := _LAYER.match(name))}
    config["num_hidden_layers"] = len(layers)
    if config["hidden_size"] % max(stored[1], 1) or not stored[1]:
        raise ConfigError(
            f"The configuration does not follow from {checkpoint.path}: {stored[1]} heads do not "
            f"divide the hidden size {config['hidden_size']}."
        )
    return config
