"""Checkpoints from one format to another."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..arguments import check_on_disk
from ..checkpoints.listing import with_ranges
from ..checkpoints.paths import get_checkpoint_paths, is_sentence_folder
from ..datasets.official import is_meant
from ..families import Family
from ..families.family import Naming
from ..saving import conversion
from ..saving.new_files import new_file, write_json
from ..tokenizer import VocabularyChange
from ..tokenizer.text_rules import read_text_rules
from ..tokenizer.vocabulary import load_tokens, load_vocabulary
from .progress import steps_bar, time_taken
from .shared import CommandError, file_or_folder, remark, remark_other_size
from .starting import import_keras

_WRITERS = {
    "google": conversion.write_google_folder,
    "huggingface": conversion.write_hugging_face_folder,
}
_MODEL_FILES = (".keras", ".h5", ".hdf5")


def run(options: argparse.Namespace) -> None:
    """Convert."""
    source = file_or_folder(options.source)
    target = Path(options.target)
    if not source.exists():
        raise CommandError(
            f"there is no file or folder {source}, nor is it a URL or a name in PretrainedList."
            f"{is_meant(options.source)}"
        )
    if source.is_file() and source.suffix not in _MODEL_FILES:
        raise CommandError(
            f"SOURCE must be a model folder or a file {', '.join(_MODEL_FILES)}. Received: {source}"
        )
    if options.vocab is not None and source.is_dir():
        raise CommandError("--vocab is for a .keras or .h5 file; a folder has its own vocabulary")
    for parent in target.parents:
        if parent.is_file():
            raise CommandError(f"TARGET cannot be {target}: {parent} is a file")
    if target.suffix in _MODEL_FILES:
        if target.suffix != ".keras":
            raise CommandError(f"a file to make must end in .keras. Received: {target}")
        if options.to is not None or source.is_file():
            raise CommandError("a .keras file is made from a folder, and without --to")
        beside = _to_model_file(source, target, options)
    elif options.to is None:
        raise CommandError("which kind of folder? Add --to google or --to huggingface")
    else:
        _to_folder(source, target, options)
        beside = None
    if is_sentence_folder(source):
        remark(
            options,
            "left out: what the folder says about sentences (pooling, dense layers, prompts); "
            "save_sentence_model writes that",
        )
    _remark_written(target, beside, options)


def _to_folder(source: Path, target: Path, options: argparse.Namespace) -> None:
    """Write a folder of the kind that --to names."""
    with steps_bar(options, 2) as begin:
        if source.is_file():
            path = _vocabulary_path(source, options)
            files = _read_model_file(source, path, options, begin)
            _check_vocabulary(files, path)
        else:
            path = get_checkpoint_paths(source).vocab
            begin("reading")
            files = conversion.read_folder(source)
        files = files._replace(origin=options.source)
        if options.cased is not None:
            files = files._replace(cased=options.cased)
        change = _vocabulary_change(files.vocabulary, options)
        if change is not None:
            files = conversion.with_vocabulary(files, change)

        def tensors(naming: Naming) -> dict[str, np.ndarray]:
            found = files.tensors(naming)
            begin("writing")
            return found

        remarks = _WRITERS[options.to](target, files._replace(tensors=tensors))
    _remark_vocabulary(files, path, options)
    for text in remarks:
        remark(options, text)
    _report(files.left_out, files.family, options)


def _vocabulary_path(source: Path, options: argparse.Namespace) -> Path:
    """Find the vocabulary of a model file."""
    if options.vocab:
        _check_file("vocab", options.vocab)
        return Path(options.vocab)
    beside = [source.with_name(name) for name in conversion.VOCABULARY_NAMES]
    return next((each for each in beside if each.exists()), beside[0])


def _read_model_file(
    source: Path, path: Path, options: argparse.Namespace, begin: Callable[[str], None]
) -> conversion.ConvertibleModel:
    """Read a model file, with the vocabulary at a path."""
    vocabulary = conversion.read_vocabulary(path)
    import_keras(options, saves=True)
    from ..saving.model_files import read_model_file

    begin("reading")
    cased, keep_accents = conversion.case_and_accents(path.parent, vocabulary)
    files = read_model_file(source, vocabulary, cased)
    return files._replace(
        keep_accents=keep_accents,
        text_rules=read_text_rules(path)[0] if vocabulary else files.text_rules,
    )


def _check_vocabulary(files: conversion.ConvertibleModel, path: Path) -> None:
    """Refuse a vocabulary that cannot be the model's, as it has more tokens."""
    if not isinstance(files.vocabulary, Mapping):
        return
    count, size = len(files.vocabulary), files.config["vocab_size"]
    if count > size:  # some models have rows for no token
        raise CommandError(
            f"{path} has {count} tokens, the model {size}: it is another model's vocabulary. Name "
            "the model's own by --vocab"
        )


def _to_model_file(source: Path, target: Path, options: argparse.Namespace) -> Path | None:
    """Write a .keras file and return the path of its vocabulary, None where there is none."""
    files = conversion.read_folder(source)
    change = _vocabulary_change(files.vocabulary, options)
    vocabulary = files.vocabulary if change is None else change.vocabulary
    beside = target.with_name(conversion.vocabulary_name(vocabulary or {}))
    _remark_vocabulary(files, get_checkpoint_paths(source).vocab, options)
    settings = target.with_name(conversion.SETTINGS_NAME)
    writes_vocabulary = vocabulary is not None and not beside.exists()
    if vocabulary is not None and not writes_vocabulary and not _is_vocabulary(beside, vocabulary):
        raise CommandError(f"{beside} is there already and differs: choose another folder")
    if writes_vocabulary and settings.exists():
        raise CommandError(f"{settings} is there already, for another model: choose another folder")
    import_keras(options, saves=True)
    from ..saving.model_files import write_model_file

    with ExitStack() as stack:
        if writes_vocabulary:
            conversion.write_vocabulary(stack.enter_context(new_file(beside)), vocabulary)
            content = conversion.tokenizer_settings(files, vocabulary)
            write_json(stack.enter_context(new_file(settings)), content)
        with steps_bar(options, 2) as begin:
            begin("reading")
            lost = write_model_file(target, source, change, loaded=lambda: begin("writing"))
    _report([*lost, *files.left_out], files.family, options)
    return None if vocabulary is None else beside


def _remark_vocabulary(
    files: conversion.ConvertibleModel, path: str | Path, options: argparse.Namespace
) -> None:
    """Say so if a model has no vocabulary, or another's; SentencePiece's is copied unread."""
    if files.vocabulary is None:
        remark(options, "there is no vocabulary to convert")
    elif not isinstance(files.vocabulary, Path):
        remark_other_size(options, path, len(files.vocabulary), files.config["vocab_size"])


def _check_file(option: str, path: str | Path | None) -> None:
    """Refuse what an option names if it is given and no file."""
    if path is None:
        return
    check_on_disk(path)
    if Path(path).is_dir():
        raise CommandError(f"--{option} must name a file. Received: the folder {path}.")


def _is_vocabulary(path: Path, vocabulary: Mapping[str, int] | Path) -> bool:
    if isinstance(vocabulary, Path):
        return path.read_bytes() == vocabulary.read_bytes()
    return load_vocabulary(path) == vocabulary


def _vocabulary_change(
    vocabulary: Mapping[str, int] | Path | None, options: argparse.Namespace
) -> VocabularyChange | None:
    if options.keep is None and options.add is None:
        return None
    if vocabulary is None:
        raise CommandError("--keep and --add change a vocabulary, and there is none")
    if isinstance(vocabulary, Path):
        raise CommandError(
            f"--keep and --add are for vocabularies of WordPiece. Received: {vocabulary}."
        )
    for name in ("keep", "add"):
        _check_file(name, getattr(options, name))
    keep, add = (path and load_tokens(path) for path in (options.keep, options.add))
    return VocabularyChange(vocabulary, keep, add or ())


def _remark_written(target: Path, vocabulary: Path | None, options: argparse.Namespace) -> None:
    files = sorted(target.iterdir()) if target.is_dir() else [target]
    size = sum(file.stat().st_size for file in files)
    names = f": {', '.join(file.name for file in files)}" if target.is_dir() else ""
    if vocabulary is not None:
        names = f"; its vocabulary is {vocabulary}"
    remark(options, f"{target} written{time_taken(options)}, {size / 1e6:,.1f} MB{names}")


def _report(names: list[str], family: Family, options: argparse.Namespace) -> None:
    if names:
        remark(options, f"left out: {', '.join(with_ranges(names))}")
    of_heads = {
        row.in_files(naming)[0]
        for head in family.task_heads.values()
        for row in head.last
        for naming in ("google", "huggingface")
    }
    if not of_heads.isdisjoint(names):
        remark(
            options,
            "the head that classifies or answers is not converted; save_task_model writes it",
        )
