"""Finds configuration, checkpoint and vocabulary in a model folder."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_GOOGLE_CONFIGS = ("bert_config.json", "albert_config.json", "albert_config_*.json")
_GOOGLE_PREFIXES = ("bert_model.ckpt", "model.ckpt-best", "albert_model.ckpt")
HUGGING_FACE_CHECKPOINTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
)
VOCABULARIES = (
    "vocab.txt",
    "vocab_chinese.txt",
    "spiece.model",
    "30k-clean.model",
    "tokenizer.json",
)
MODULES = "modules.json"  # of sentence-transformers
_SAVED_MODEL = "saved_model.pb"
_SAVED_MODEL_PREFIX = os.path.join("variables", "variables")
# The first key in the index of an object-based checkpoint, of which blocks are not compressed.
OBJECT_GRAPH_KEY = b"_CHECKPOINTABLE_OBJECT_GRAPH"


class CheckpointPaths(NamedTuple):
    """Paths of the three files that make a model; `config` is None where there is none."""

    config: str | None
    checkpoint: str
    vocab: str


def get_checkpoint_paths(model_path: str | os.PathLike[str]) -> CheckpointPaths:
    """Find configuration, checkpoint and vocabulary, see `get_checkpoint_paths` of `keras_bert`."""
    folder = _encoder_folder(os.fspath(model_path))
    config = _first_of(folder, (*_GOOGLE_CONFIGS, "config.json"))
    prefix = _tensorflow_prefix(folder)
    checkpoint = prefix
    if config == "config.json":
        # A checkpoint of TensorFlow that lies there as well comes last.
        usual = HUGGING_FACE_CHECKPOINTS[0]
        found = _first_of(folder, HUGGING_FACE_CHECKPOINTS)
        checkpoint = found or (prefix if _has_index(folder, prefix) else usual)
    if config is None and not _is_object_based(folder, prefix):
        config = _GOOGLE_CONFIGS[0]
    vocab = _first_of(folder, VOCABULARIES) or VOCABULARIES[0]
    return CheckpointPaths(
        None if config is None else os.path.join(folder, config),
        os.path.join(folder, checkpoint),
        os.path.join(folder, vocab),
    )


def is_sentence_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder lists modules, as those of sentence-transformers do."""
    return os.path.isfile(os.path.join(folder, MODULES))


class Module(NamedTuple):
    """An entry of modules.json: what it is, and in which folder below that of the list."""

    kind: str
    folder: str  # ends in "/"; "" is the list's own


def read_modules(path: str | os.PathLike[str]) -> list[Module]:
    """List the modules of a folder of sentence-transformers; none where the file is damaged."""
    try:
        listed = json.loads(Path(path).read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
    entries = listed if isinstance(listed, list) else []
    found = [(each.get("type"), each.get("path")) for each in entries if isinstance(each, dict)]
    return [
        Module(kind, f"{inside}/" if inside else "")
        for kind, inside in found
        if isinstance(kind, str) and isinstance(inside, str) and "\0" not in inside
    ]


def encoder_of(modules: Sequence[Module]) -> str:
    """The folder of the encoder among modules: the first that is called so, or the first of all."""
    encoders = [each for each in modules if each.kind.endswith("Transformer")]
    return next((each.folder for each in [*encoders, *modules]), "")


def _encoder_folder(folder: str) -> str:
    """The folder that has the encoder's files: that of a module, or itself.

    A config.json beside a list of modules may say no more than which version wrote it.
    """
    inside = PurePosixPath(encoder_of(read_modules(os.path.join(folder, MODULES))))
    # What lies elsewhere is no part of the folder.
    is_part = inside.parts and not inside.is_absolute() and ".." not in inside.parts
    return os.path.join(folder, inside) if is_part else folder


def _first_of(folder: str, patterns: Iterable[str]) -> str | None:
    """Return the first file, by the order of the patterns, that the folder or its assets have."""
    folders = [folder]
    if os.path.exists(os.path.join(folder, _SAVED_MODEL)):
        folders.append(os.path.join(folder, "assets"))
    for each in folders:
        for pattern in patterns:
            for path in sorted(glob.glob(os.path.join(glob.escape(each), pattern))):
                if os.path.exists(path):  # and is no link to nowhere
                    return os.path.relpath(path, folder)
    return None


def _tensorflow_prefix(folder: str) -> str:
    if os.path.exists(os.path.join(folder, _SAVED_MODEL)):
        return _SAVED_MODEL_PREFIX
    for prefix in _GOOGLE_PREFIXES:
        if _has_index(folder, prefix):
            return prefix
    names = os.listdir(folder) if os.path.isdir(folder) else []
    prefixes = [name.removesuffix(".index") for name in names if name.endswith(".index")]
    return prefixes[0] if len(prefixes) == 1 else _GOOGLE_PREFIXES[0]


def _has_index(folder: str, prefix: str) -> bool:
    return os.path.exists(os.path.join(folder, f"{prefix}.index"))


def _is_object_based(folder: str, prefix: str) -> bool:
    if prefix == _SAVED_MODEL_PREFIX:
        return True
    path = os.path.join(folder, f"{prefix}.index")
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return OBJECT_GRAPH_KEY in stream.read(4096)
