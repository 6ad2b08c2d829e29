"""Model folders of Google's and of Hugging Face's kind, read and written without Keras.

Weights, configuration and vocabulary keep their meaning on the way from one kind to the other.
What Google's format cannot express is written by keys or values that Google's own code ignores or
refuses, and the remarks that are returned name it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..checkpoints import open_checkpoint, write_tensor_bundle
from ..checkpoints.paths import get_checkpoint_paths
from ..checkpoints.safetensors import write_safetensors
from ..families import family_of
from ..families.configuration import activation_name, read_config
from ..families.family import USUAL_EPSILON, Family, Naming
from ..families.fitting import check_fit
from ..families.translation import as_hugging_face_names, left_out, translate
from ..families.weights import find_weights
from ..tokenizer import SentencePieceTokenizer, Tokenizer
from ..tokenizer.piece_bytes import read_pieces
from ..tokenizer.piece_model import read_steps
from ..tokenizer.text_rules import (
    USUAL_RULES,
    TextRules,
    as_settings,
    read_text_rules,
    with_added,
)
from ..tokenizer.tokenizer_json import as_tokenizer_json
from ..tokenizer.vocabulary import (
    declared,
    is_cased,
    is_piece_model,
    is_tokenizer_json,
    load_vocabulary,
    save_vocabulary,
)
from ..tokenizer.vocabulary_change import VocabularyChange
from .model_card import model_card
from .new_files import new_folder, write_json

VOCABULARY_NAMES = ("vocab.txt", "spiece.model", "tokenizer.json")  # of files written here
SETTINGS_NAME = "tokenizer_config.json"
_READ_HERE = "keras_bert reads it as it is"


class ConvertibleModel(NamedTuple):
    """A model on its way from one format to another."""

    family: Family
    config: dict[str, Any]  # with `hidden_act` as `activation_name` gives it
    tensors: Callable[[Naming], dict[str, np.ndarray]]
    vocabulary: Mapping[str, int] | Path | None  # token to id, or a SentencePiece file to copy
    cased: bool  # whether texts keep their case
    left_out: list[str]  # names of tensors that are not the model's and are lost
    origin: str | None = None  # what the user named the model by
    text_rules: TextRules = USUAL_RULES  # of the tokenizer
    keep_accents: bool | None = None  # of SentencePiece; None: as its file says


def read_folder(folder: Path) -> ConvertibleModel:
    """Read a model folder of either kind, its weights when they are asked for.

    Raises:
        ConfigError, CheckpointError, VocabularyError: If a file is damaged or of another
            architecture, or they do not belong together (all are ValueErrors).
    """
    paths = get_checkpoint_paths(folder)
    checkpoint = open_checkpoint(paths.checkpoint)
    config = read_config(paths.config, checkpoint)
    family = family_of(config, checkpoint)
    found = find_weights(family, config, checkpoint, heads="any")
    check_fit(family, config, checkpoint, found)
    config["hidden_act"] = activation_name(config, checkpoint)
    vocabulary = read_vocabulary(Path(paths.vocab))
    cased, keep_accents = case_and_accents(folder, vocabulary)
    return ConvertibleModel(
        family,
        config,
        lambda naming: translate(checkpoint, found, naming),
        vocabulary,
        cased,
        left_out(checkpoint, found),
        text_rules=read_text_rules(paths.vocab)[0] if vocabulary else USUAL_RULES,
        keep_accents=keep_accents,
    )


def with_vocabulary(files: ConvertibleModel, change: VocabularyChange) -> ConvertibleModel:
    """Give a model another vocabulary, and the rows for it in the weights with one for each token.

    Raises:
        ValueError: If the vocabulary from which `change` starts has another size than the model's.
    """
    change.check_size(files.config["vocab_size"])
    rows = files.family.weights(files.config, training=True)

    def tensors(naming: Naming) -> dict[str, np.ndarray]:
        names = {row.in_files(naming)[0] for row in rows if row.per_token}
        return {
            name: change.rows(array) if name in names else array
            for name, array in files.tensors(naming).items()
        }

    config = {**files.config, "vocab_size": len(change.vocabulary)}
    return files._replace(config=config, tensors=tensors, vocabulary=change.vocabulary)


def write_google_folder(folder: Path, files: ConvertibleModel) -> list[str]:
    """Write configuration, checkpoint, vocab.txt and tokenizer_config.json.

    Returns:
        Remarks on what Google's own code would not understand.

    Raises:
        FileExistsError: If the folder holds something.
        ValueError: If the vocabulary cannot be a text file, or Google has no files of the family.
    """
    known = files.family.google_keys
    if not known:
        others = "Hugging Face's or to .keras" if files.family.model_type else ".keras"
        raise ValueError(f"Google has no files of {files.family.name}: convert to {others}.")
    config_name, checkpoint_name = files.family.google_files
    config = {key: value for key, value in files.config.items() if key in known}
    remarks = []
    epsilon = files.config.get("layer_norm_eps", USUAL_EPSILON)
    usual = epsilon == USUAL_EPSILON
    if not usual:
        config["layer_norm_eps"] = epsilon
        remarks.append(
            f"Google's own code would take {USUAL_EPSILON} for layer_norm_eps; {_READ_HERE}"
        )
    if config["hidden_act"] == "gelu_tanh":
        # Beside a key of Hugging Face's, "gelu" alone would be read as the exact form.
        config["hidden_act"] = "gelu" if usual else "gelu_new"
    if config["hidden_act"] not in ("gelu", "relu", "tanh", "linear"):
        remarks.append(
            f"Google's own code does not know hidden_act {config['hidden_act']!r}; {_READ_HERE}"
        )
    with new_folder(folder) as unfinished:
        write_json(unfinished / config_name, config)
        write_tensor_bundle(unfinished / checkpoint_name, files.tensors("google"))
        _write_tokenizer(unfinished, files)
    return remarks


def write_hugging_face_folder(folder: Path, files: ConvertibleModel) -> list[str]:
    """Write Hugging Face's files and a model card.

    Raises what `write_google_folder` does; returns no remarks.
    """
    with new_folder(folder) as unfinished:
        config = write_hugging_face_files(unfinished, files)
        card = model_card(folder.resolve().name, files.family.name, config, files.origin)
        (unfinished / "README.md").write_text(card, "utf-8")
    return []


def write_hugging_face_files(
    folder: Path,
    files: ConvertibleModel,
    head: Mapping[str, np.ndarray] | None = None,
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write config.json, model.safetensors, vocabulary and its settings into a folder that exists.

    Args:
        folder: The folder.
        files: The model.
        head: Further tensors by name, of a head that is none of the family's.
        further: Further keys of the configuration, such as `architectures` and `id2label`.

    Returns:
        The configuration, with its keys as all families have them.

    Raises:
        ValueError: If the vocabulary cannot be a text file, or there are no files of the family.
    """
    family = files.family
    if family.model_type is None:
        raise ValueError(f"Hugging Face has no files of {family.name}: convert to .keras.")
    tensors = {**files.tensors("huggingface"), **(head or {})}
    tensors = as_hugging_face_names(family, tensors)
    activation = {"gelu_tanh": "gelu_new", "gelu_erf": "gelu"}
    config = {
        "layer_norm_eps": USUAL_EPSILON,
        "pad_token_id": _padding_id(files.vocabulary),
        **files.config,
        "architectures": [family.architecture(tensors)],
        "model_type": family.model_type,
        **(further or {}),
    }
    config["hidden_act"] = activation.get(config["hidden_act"], config["hidden_act"])
    in_file = {family.key_in_files(key): value for key, value in config.items()}
    write_json(folder / "config.json", in_file)
    write_safetensors(folder / "model.safetensors", tensors)
    _write_tokenizer(folder, files)
    if isinstance(files.vocabulary, Path) and not is_tokenizer_json(str(files.vocabulary)):
        _write_tokenizer_json(folder / "tokenizer.json", files, files.vocabulary)
    return config


def read_vocabulary(path: Path) -> Mapping[str, int] | Path | None:
    """Return a vocabulary, with tokens that were added beside the file.

    The path itself of one of SentencePiece; None if there is no file.
    """
    if not path.exists():
        return None
    if is_piece_model(str(path)):
        return path
    return with_added(load_vocabulary(path), read_text_rules(path)[1], str(path))


def vocabulary_of(tokenizer: Tokenizer) -> Mapping[str, int] | Path:
    """The vocabulary of a tokenizer as `ConvertibleModel` has it."""
    if isinstance(tokenizer, SentencePieceTokenizer):
        return Path(tokenizer._path)
    return tokenizer._token_dict


def check_tokenizer(files: ConvertibleModel) -> None:
    """Refuse a tokenizer, whose vocabulary a model has, with more tokens than the model."""
    vocabulary, size = files.vocabulary, files.config["vocab_size"]
    if isinstance(vocabulary, Mapping) and len(vocabulary) > size:
        raise ValueError(
            f"`tokenizer` must be the model's, which has {size} tokens. "
            f"Received: one with {len(vocabulary)}."
        )


def vocabulary_name(vocabulary: Mapping[str, int] | Path) -> str:
    """Name the file that a vocabulary is written to, one of `VOCABULARY_NAMES`."""
    text_file, piece_model, tokenizer_json = VOCABULARY_NAMES
    if not isinstance(vocabulary, Path):
        return text_file
    return tokenizer_json if is_tokenizer_json(str(vocabulary)) else piece_model


def write_vocabulary(path: Path, vocabulary: Mapping[str, int] | Path) -> None:
    """Write a vocabulary, as a file of one token a line if it is not one of SentencePiece."""
    if isinstance(vocabulary, Path):
        shutil.copyfile(vocabulary, path)
    else:
        save_vocabulary(path, vocabulary)


def case_and_accents(
    folder: Path, vocabulary: Mapping[str, int] | Path | None
) -> tuple[bool, bool | None]:
    """Whether texts keep their case and their accents, decided as by `load_tokenizer`.

    Accents are for SentencePiece; None of them where nothing is said.
    """
    lower_case, accents = declared(folder, "do_lower_case"), declared(folder, "keep_accents")
    is_json = isinstance(vocabulary, Path) and is_tokenizer_json(str(vocabulary))
    in_file: tuple[bool | None, bool | None] = (None, None)
    if is_json and None in (lower_case, accents):
        in_file = read_steps(vocabulary)
    accents = in_file[1] if accents is None else accents
    if lower_case is not None:
        return not lower_case, accents
    if in_file[0] is not None:
        return in_file[0], accents
    if isinstance(vocabulary, Path):
        return is_cased(folder, [piece for piece, _ in read_pieces(vocabulary)[0]]), accents
    return is_cased(folder, vocabulary or ()), accents


def _padding_id(vocabulary: Mapping[str, int] | Path | None) -> int:
    return vocabulary.get("[PAD]", 0) if isinstance(vocabulary, Mapping) else 0


def _write_tokenizer(folder: Path, files: ConvertibleModel) -> None:
    vocabulary = files.vocabulary
    if vocabulary is not None:
        write_vocabulary(folder / vocabulary_name(vocabulary), vocabulary)
        write_json(folder / SETTINGS_NAME, tokenizer_settings(files, vocabulary))


def tokenizer_settings(
    files: ConvertibleModel, vocabulary: Mapping[str, int] | Path
) -> dict[str, Any]:
    """What the file `SETTINGS_NAME` beside a vocabulary says of texts for a model."""
    settings = {
        "do_lower_case": not files.cased,
        "model_max_length": files.config["max_position_embeddings"],
        "tokenizer_class": "BertTokenizer",
    }
    if isinstance(vocabulary, Path):
        settings["tokenizer_class"] = "AlbertTokenizer"
        if files.keep_accents is not None:
            settings["keep_accents"] = files.keep_accents
    return settings | as_settings(files.text_rules, _ids_of_added(vocabulary))


def _write_tokenizer_json(path: Path, files: ConvertibleModel, model: Path) -> None:
    """Write the tokenizer.json of a SentencePiece model; one beside it may say something else."""
    rules, ids = files.text_rules, _ids_of_added(model)
    write_json(path, as_tokenizer_json(model, files.cased, bool(files.keep_accents), rules, ids))


def _ids_of_added(vocabulary: Mapping[str, int] | Path) -> Mapping[str, int]:
    """Ids by which added tokens are written; those of SentencePiece's stand beside its file."""
    return read_text_rules(vocabulary)[1] if isinstance(vocabulary, Path) else vocabulary
