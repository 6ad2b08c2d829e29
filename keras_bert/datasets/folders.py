"""The one place that turns what users name a model by into its folder."""

from __future__ import annotations

import os

from ..checkpoints import paths
from .hub import PREFIX
from .official import by_name, check_name, no_such_model
from .pretrained import get_pretrained


def model_folder(name: str | os.PathLike[str]) -> str:
    """Return the folder of a model, which is downloaded first if need be.

    Args:
        name: Path of a folder, which is returned as it is; or what else `get_pretrained` takes: a
            name in `PretrainedList`, `hf://org/name[@revision]`, the path or URL of an archive.

    Raises:
        FileNotFoundError: If there is no such path or name; the message suggests the nearest name.
        TypeError: If it is neither a path nor a str.
        OSError, ValueError, ImportError: As of `get_pretrained`.
    """
    check_name("What names a model", name)
    path = os.fspath(name)
    if os.path.isdir(path):
        return path
    if os.path.exists(path) or is_known(path) or is_url(path):
        return get_pretrained(path)
    raise no_such_model(path)


def get_checkpoint_paths(model_path: str | os.PathLike[str]) -> paths.CheckpointPaths:
    """Return the paths of configuration, checkpoint and vocabulary in a model folder.

    Google's folders hold bert_config.json, bert_model.ckpt.* and vocab.txt, those of ALBERT
    albert_config.json or albert_config_*.json, model.ckpt-best.* or albert_model.ckpt.*, and
    vocab.txt, vocab_chinese.txt, spiece.model or 30k-clean.model. (Another checkpoint prefix is
    found if it is the only one.) Hugging Face's hold config.json, model.safetensors,
    pytorch_model.bin or tf_model.h5, and one of these vocabularies or tokenizer.json. TensorFlow
    Hub's SavedModels hold variables/variables.* and assets/vocab.txt. In older folders of
    sentence-transformers Hugging Face's files are in a folder inside, which modules.json names.
    Without either configuration, or any folder, the paths are Google's.

    Args:
        model_path: Path of the folder; or a name in `PretrainedList`, or `hf://org/name[@revision]`,
            whose folder `get_pretrained` finds.

    Returns:
        A named tuple of the paths `config`, `checkpoint` and `vocab`, of files that may not exist.
        `config` is None for a SavedModel, and for another object-based checkpoint of TensorFlow 2,
        where no configuration lies beside it: sizes then follow from the checkpoint, and the
        loaders take None.

    Raises:
        TypeError: If `model_path` is neither a path nor a str.

    Example:
        >>> from pathlib import Path
        >>> from keras_bert import get_checkpoint_paths
        >>> [Path(path).name for path in get_checkpoint_paths("tiny")]
        ['config.json', 'model.safetensors', 'vocab.txt']
    """
    check_name("`model_path`", model_path)
    # A path of no folder has always been taken: scripts make the folder later.
    folder = get_pretrained(model_path) if is_known(model_path) else model_path
    return paths.get_checkpoint_paths(folder)


def is_url(name: str) -> bool:
    """Whether a name is a URL; of `file:` one slash is enough."""
    return "://" in name or name.startswith("file:/")


def is_known(name: str | os.PathLike[str]) -> bool:
    """Whether a name is one of `PretrainedList` or of the hub, and no path."""
    return by_name(name) is not None or os.fspath(name).startswith(PREFIX)
