"""The configuration of a model whose files have none, from the shapes of its weights."""

from __future__ import annotations

import re
from typing import Any

from ..checkpoints import Checkpoint
from ..checkpoints.listing import summary
from .family import ConfigError

_LAYER = re.compile(r"bert/encoder/layer_(\d+)/")
_QUERY = "bert/encoder/layer_0/attention/self/query/kernel"
# Names of tables and kernels, and the size that each axis tells.
_SHAPES = (
    ("bert/embeddings/word_embeddings", {"vocab_size": 0, "hidden_size": 1}),
    ("bert/embeddings/position_embeddings", {"max_position_embeddings": 0}),
    ("bert/embeddings/token_type_embeddings", {"type_vocab_size": 0}),
    ("bert/encoder/layer_0/intermediate/dense/kernel", {"intermediate_size": 1}),
)


def inferred_config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the configuration of a BERT of TensorFlow Hub or of the Model Garden.

    Its attention keeps an axis for the heads, from which their number follows. The activation shows
    nowhere; it is Google's "gelu".

    Raises:
        ConfigError: If the checkpoint is of another kind or lacks what tells a size.
    """
    stored = checkpoint.stored_shape(_QUERY) if _QUERY in checkpoint else ()
    if len(stored) != 3:
        raise ConfigError(
            f"{checkpoint.path} has no configuration beside it, and its weights do not tell the "
            "number of heads, as those of TensorFlow Hub's SavedModels of BERT do: pass its "
            "configuration, such as bert_config.json or albert_config.json. It holds "
            f"{summary(list(checkpoint))}."
        )
    config: dict[str, Any] = {"hidden_act": "gelu", "num_attention_heads": stored[1]}
    for name, axes in _SHAPES:
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
