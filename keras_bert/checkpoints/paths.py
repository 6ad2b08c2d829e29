"""Finds configuration, checkpoint and vocabulary in a model folder."""

from __future__ import annotations

import os
from typing import NamedTuple

_HUGGING_FACE_CHECKPOINTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


class CheckpointPaths(NamedTuple):
    """Paths of the three files that make a model."""

    config: str
    checkpoint: str
    vocab: str


def get_checkpoint_paths(model_path: str | os.PathLike[str]) -> CheckpointPaths:
    """Return the paths of configuration, checkpoint and vocabulary in a model folder.

    Google's folders hold bert_config.json, bert_model.ckpt.* and vocab.txt (another checkpoint
    prefix is found if it is the only one), Hugging Face's config.json, model.safetensors or
    pytorch_model.bin, and vocab.txt or tokenizer.json. Without either configuration, or any folder,
    the paths are Google's.

    Args:
        model_path: Path of the folder.

    Returns:
        A named tuple of the paths `config`, `checkpoint` and `vocab`, of files that may not exist.

    Example:
        >>> from pathlib import Path
        >>> from keras_bert import PretrainedList, get_checkpoint_paths
        >>> [Path(path).name for path in get_checkpoint_paths(PretrainedList.tiny)]
        ['config.json', 'model.safetensors', 'vocab.txt']
    """
    folder = os.fspath(model_path)

    def first_of(*names: str) -> str:
        present = (name for name in names if os.path.exists(os.path.join(folder, name)))
        return os.path.join(folder, next(present, names[0]))

    config = first_of("bert_config.json", "config.json")
    vocab = first_of("vocab.txt", "tokenizer.json")
    if os.path.basename(config) == "config.json":
        return CheckpointPaths(
            config, first_of(*_HUGGING_FACE_CHECKPOINTS, "bert_model.ckpt"), vocab
        )
    return CheckpointPaths(config, os.path.join(folder, _tensorflow_prefix(folder)), vocab)


def _tensorflow_prefix(folder: str) -> str:
    default = "bert_model.ckpt"
    if not os.path.isdir(folder) or os.path.exists(os.path.join(folder, f"{default}.index")):
        return default
    prefixes = [name[: -len(".index")] for name in os.listdir(folder) if name.endswith(".index")]
    return prefixes[0] if len(prefixes) == 1 else default
