"""Opens a checkpoint of any format, or says what is there instead."""

from __future__ import annotations

import glob
import json
import os
import re
from pathlib import Path

from ..arguments import check_on_disk
from .checkpoint import Checkpoint
from .errors import CheckpointError, parsing
from .google_names import as_google, without_module
from .hdf5 import HDF5_MAGIC, read_hdf5
from .safetensors import read_safetensors
from .stored import AnyTensor
from .tensor_bundle import read_tensor_bundle
from .tensor_bundle.layout import index_file
from .torch_bin import ZIP_MAGIC, read_torch
from .transformers_tf import as_pytorch, is_by_tensorflow, without_groups

# The files of a TensorFlow checkpoint, any of which stands for it; ".meta" is the graph.
_BUNDLE_FILE = re.compile(r"(?P<prefix>.+)\.(index|meta|data-\d{5}-of-\d{5})")
_PICKLE_MAGIC = re.compile(rb"\x80[\x02-\x05]")
_SAFETENSORS_MAGIC = re.compile(rb".{8}\{", re.DOTALL)
_MOST_NAMES_SHOWN = 12

# Files that people pass by mistake, by their first bytes.
_OTHER_FILES = {
    b"version https://git-lfs": "a Git LFS pointer, not the weights: run 'git lfs pull' there",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"model_checkpoint_path": "TensorFlow's note on which checkpoint is the latest: pass that one",
}

_READERS = {"safetensors": read_safetensors, "torch": read_torch, "hdf5": read_hdf5}


def open_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Open a checkpoint; its content, not its name, decides which format it has.

    Args:
        path: A TensorFlow checkpoint (its prefix, such as `bert_model.ckpt`, or any of its files),
            a safetensors file, a PyTorch file, the `tf_model.h5` of transformers 4, or the
            `.index.json` file of one that is split into several of these.

    Returns:
        A mapping of names to arrays that reads a tensor when it is asked for.

    Raises:
        CheckpointError: If the file is damaged, of an unknown kind, or refused (a ValueError).
        FileNotFoundError: If nothing is there; the message lists what the folder holds.
        OSError: If the file cannot be read, or is a folder.

    Example:
        >>> from keras_bert import PretrainedList, get_checkpoint_paths
        >>> from keras_bert.checkpoints import open_checkpoint
        >>> paths = get_checkpoint_paths(PretrainedList.tiny)
        >>> with open_checkpoint(paths.checkpoint) as checkpoint:
        ...     checkpoint.shape("bert.embeddings.word_embeddings.weight")
        (30522, 128)
    """
    path = Path(path)
    prefix = _bundle_prefix(path)
    if prefix is not None:
        return _open_bundle(prefix)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a checkpoint. It holds {_content(path)}")
    if not path.exists():
        raise FileNotFoundError(_missing(path))
    if path.suffix == ".json":
        return _open_split(path)
    format = _detect(path)
    return Checkpoint(path, format, _with_known_names(path, format, _READERS[format](path)))


def _bundle_prefix(path: Path) -> Path | None:
    """Return the prefix if the path stands for a TensorFlow checkpoint."""
    if index_file(path).is_file():
        return path
    if match := _BUNDLE_FILE.fullmatch(path.name):
        prefix = path.with_name(match["prefix"])
        return prefix if index_file(prefix).is_file() else None
    return None


def _open_bundle(prefix: Path) -> Checkpoint:
    tensors, full_names = read_tensor_bundle(prefix)
    with parsing(prefix):
        tensors = as_google(tensors, full_names) if full_names else without_module(tensors)
    return Checkpoint(prefix, "tensor_bundle", tensors)


def _detect(path: Path) -> str:
    """Tell the format of a single file by its first bytes, or else by its name."""
    check_on_disk(path)
    with open(path, "rb") as stream:
        start = stream.read(64)
    if not start:
        raise CheckpointError(f"{path} is empty")
    if start.startswith(HDF5_MAGIC):
        return "hdf5"
    # The length of a header may begin as a pickle does.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < os.path.getsize(path):
        return "safetensors"
    if start.startswith(ZIP_MAGIC) or _PICKLE_MAGIC.match(start):
        return "torch"
    if _SAFETENSORS_MAGIC.match(start):
        return "safetensors"
    for magic, what in _OTHER_FILES.items():
        if start.startswith(magic):
            raise CheckpointError(f"{path} is {what}")
    if path.suffix == ".safetensors":
        return "safetensors"
    if path.suffix in (".bin", ".pt", ".pth"):
        return "torch"
    raise CheckpointError(
        f"{path} is no checkpoint of a known kind: neither safetensors nor PyTorch, and there is "
        f"no {index_file(path).name} that would make it TensorFlow's. It begins with {start[:16]!r}"
    )


def _open_split(path: Path) -> Checkpoint:
    """Open a checkpoint whose index file says which file each tensor is in."""
    check_on_disk(path)
    with parsing(path):
        index = json.loads(path.read_bytes())
        files = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(files, dict) or not files:
            raise CheckpointError(
                "it is no index of a checkpoint in several files, as it has no 'weight_map'. If it "
                "is a configuration, pass the checkpoint itself, or the folder"
            )
        for file in files.values():
            if not isinstance(file, str) or file != Path(file).name or file in ("", ".."):
                raise CheckpointError(f"its 'weight_map' refers to {file!r}, no name of a file")
    formats: set[str] = set()
    tensors: dict[str, AnyTensor] = {}
    for file in sorted(set(files.values())):
        part = path.with_name(file)
        if not part.exists():
            raise FileNotFoundError(f"{_missing(part)} The file is part of {path.name}.")
        format = _detect(part)
        formats.add(format)
        found = _READERS[format](part)
        expected = {name for name, holder in files.items() if holder == file}
        if missing := sorted(expected - found.keys()):
            raise CheckpointError(
                f"{path}: {len(missing)} tensors are not in {file}, among them {missing[0]}"
            )
        # What the index does not list is taken too: damage there must not make tensors vanish.
        tensors |= {name: found[name] for name in found if files.get(name, file) == file}
    if len(formats) != 1:
        raise CheckpointError(f"{path} mixes files of different formats")
    format = formats.pop()
    return Checkpoint(path, format, _with_known_names(path, format, tensors))


def _with_known_names(
    path: Path, format: str, tensors: dict[str, AnyTensor]
) -> dict[str, AnyTensor]:
    """Give tensors of transformers' TensorFlow models the names of its PyTorch models."""
    with parsing(path):
        if format == "hdf5":
            return as_pytorch(without_groups(tensors))
        if format == "safetensors" and is_by_tensorflow(tensors):
            return as_pytorch({name: [tensor] for name, tensor in tensors.items()})
    return tensors


def _missing(path: Path) -> str:
    """Say that a path does not exist, and what does."""
    message = f"There is no checkpoint {path}."
    folder = path.parent
    if folder.is_dir():
        match = _BUNDLE_FILE.fullmatch(path.name)
        prefix = match["prefix"] if match else path.name
        if any(folder.glob(f"{glob.escape(prefix)}.data-*")):
            message += f" Of the TensorFlow checkpoint {prefix} the .index file is missing."
    else:
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        message += f" The folder {path.parent} does not exist."
    return f"{message} The folder {folder} holds {_content(folder)}."


def _content(folder: Path) -> str:
    """List what a folder holds, shortened."""
    names = sorted(f"{item.name}/" if item.is_dir() else item.name for item in folder.iterdir())
    if len(names) > _MOST_NAMES_SHOWN:
        names[_MOST_NAMES_SHOWN:] = [f"{len(names) - _MOST_NAMES_SHOWN} more"]
    return ", ".join(names) or "nothing"
