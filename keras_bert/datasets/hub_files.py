"""Which files of a repository are read: a model's own, and those of sentence-transformers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..checkpoints.paths import (
    HUGGING_FACE_CHECKPOINTS,
    MODULES,
    VOCABULARIES,
    Module,
    encoder_of,
    read_modules,
)

CONFIG = "config.json"
_SETTINGS = re.compile(
    r"tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|tokenizer\.json"
    r"|sentence_[\w-]+_config\.json|config_sentence_transformers\.json"
)
_MODULE_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def files_to_fetch(names: Collection[str], modules: Sequence[Module]) -> list[str]:
    """Choose from the names of all files those that are read, weights last.

    Raises:
        FileNotFoundError: If there is no configuration, or are no weights of a known format.
    """
    encoder, others = _divided(modules)
    if f"{encoder}{CONFIG}" not in names:
        raise FileNotFoundError(f"it has no {encoder}{CONFIG}")
    weights = _first(encoder, HUGGING_FACE_CHECKPOINTS, names)
    if not weights:
        raise FileNotFoundError(f"it has none of {', '.join(HUGGING_FACE_CHECKPOINTS)}")
    chosen = [MODULES] if MODULES in names else []
    chosen += [name for name in sorted(names) if _is_in("", name) and _SETTINGS.fullmatch(name)]
    for module in others:
        chosen += [name for name in sorted(names) if _is_in(module.folder, name, ".json")]
        chosen += _first(module.folder, _MODULE_WEIGHTS, names)
    chosen += [
        name
        for name in sorted(names)
        if _is_in(encoder, name) and _SETTINGS.fullmatch(name.removeprefix(encoder))
    ]
    chosen += [f"{encoder}{CONFIG}", *_first(encoder, VOCABULARIES, names), *weights]
    return list(dict.fromkeys(chosen))


def shards_of(index: str | os.PathLike[str]) -> list[str]:
    """List the files that an index of weights names, in its own folder.

    Raises:
        OSError: If the index is damaged, or names a file elsewhere.
    """
    try:
        shards = sorted(set(json.loads(Path(index).read_text("utf-8"))["weight_map"].values()))
        if all(re.fullmatch(r"[\w.-]+", shard) for shard in shards):
            return shards
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise OSError(f"{os.fspath(index)} is damaged: it names no files of weights.")


def missing_file(folder: str | os.PathLike[str]) -> str | None:
    """Say which file a folder lacks that another program or a broken download has left; or None."""
    names = {
        path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.exists()
    }
    modules = read_modules(Path(folder, MODULES))
    encoder, others = _divided(modules)
    try:
        weights = files_to_fetch(names, modules)[-1]
        shards = shards_of(Path(folder, weights)) if weights.endswith(".index.json") else []
    except OSError as error:
        return str(error)
    needed = [f"{encoder}{shard}" for shard in shards]
    needed += [f"{each.folder}{CONFIG}" for each in others if not each.kind.endswith("Normalize")]
    for module in others:
        if module.kind.endswith("Dense") and not _first(module.folder, _MODULE_WEIGHTS, names):
            needed.append(f"{module.folder}{_MODULE_WEIGHTS[0]}")
    lacking = [name for name in needed if name not in names]
    if not lacking and not _first(encoder, VOCABULARIES, names):
        lacking = [f"{encoder}{VOCABULARIES[0]}"]
    return f"it has no {lacking[0]}" if lacking else None


def _divided(modules: Sequence[Module]) -> tuple[str, list[Module]]:
    """The folder of the encoder, and the other modules that have a folder."""
    encoder = encoder_of(modules)
    return encoder, [each for each in modules if each.folder not in ("", encoder)]


def _first(folder: str, wanted: Iterable[str], names: Collection[str]) -> list[str]:
    """The first of some files that a folder has, as a list that may be empty."""
    return [f"{folder}{each}" for each in wanted if f"{folder}{each}" in names][:1]


def _is_in(folder: str, name: str, ending: str = "") -> bool:
    """Whether a file lies in a folder, and in none below it."""
    return name.startswith(folder) and "/" not in name[len(folder) :] and name.endswith(ending)
