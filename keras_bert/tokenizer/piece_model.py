"""Files of SentencePiece: its own `.model`, and Hugging Face's tokenizer.json of type Unigram.

The library `sentencepiece` reads both, the second as the `.model` that it was made from. Source:
`AlbertConverter` in Hugging Face's `convert_slow_tokenizer.py`.
"""

import base64
import binascii
import os
from typing import Any, NamedTuple

from ..arguments import check_on_disk, describe, shorten
from .special_tokens import PIECE_SPECIAL_TOKENS
from .vocabulary import (
    SPACE,
    VocabularyError,
    has_surrogates,
    is_tokenizer_json,
    member,
    read_json,
)

# Hugging Face's converter makes pieces such as "1," unlikely, instead of dividing them afterwards.
PENALTY = 100

QUOTES = [{"type": "Replace", "pattern": {"String": s}, "content": '"'} for s in ("``", "''")]
NO_ACCENTS = [{"type": "NFKD"}, {"type": "StripAccents"}]
LOWER_CASE = [{"type": "Lowercase"}]
BLANKS = [{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]


class PieceModel(NamedTuple):
    """A SentencePiece model, and what its file says about texts: None where it says nothing."""

    processor: Any
    cased: bool | None
    keep_accents: bool | None


def read_piece_model(vocab_path: str | os.PathLike[str]) -> PieceModel:
    """Read either kind of file.

    Raises:
        TypeError: If `vocab_path` is not a path.
        ImportError: If the library is missing.
        VocabularyError: If the file is damaged or of another kind.
        OSError: If the file cannot be read.
    """
    if not isinstance(vocab_path, (str, os.PathLike)):
        raise TypeError(
            "`vocab_path` must be the path of a SentencePiece model, or of a tokenizer.json of the "
            f"type Unigram. Received: {describe(vocab_path)}"
        )
    path = os.fspath(vocab_path)
    check_on_disk(path)
    if is_tokenizer_json(path):
        content, cased, keep_accents = _from_tokenizer_json(read_json(path), path)
        return PieceModel(_processor(content, path), cased, keep_accents)
    with open(path, "rb") as file:
        return PieceModel(_processor(file.read(), path), None, None)


def read_steps(tokenizer_json: str | os.PathLike[str]) -> tuple[bool, bool]:
    """Whether a tokenizer.json of the type Unigram keeps case, and accents.

    Raises:
        VocabularyError: If the file is damaged or of another kind.
        OSError: If it cannot be read.
    """
    path = os.fspath(tokenizer_json)
    document = read_json(path)
    member(document, "model", dict, path)
    return _normalization(document, path)[1:]


def pieces_of(processor: Any, path: str) -> dict[str, int]:
    """Return piece to id, in the order of the ids."""
    try:
        pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    except UnicodeDecodeError as error:
        raise VocabularyError(f"{path} is damaged: a piece is not UTF-8, {error.reason}.") from None
    return {piece: index for index, piece in enumerate(pieces)}


def _processor(content: bytes, path: str) -> Any:
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError:
        raise ImportError(
            f"{path} is a SentencePiece model, which needs the package sentencepiece: "
            "pip install sentencepiece"
        ) from None
    processor = SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(content)
    except RuntimeError as error:
        raise VocabularyError(
            f"{path} must be a SentencePiece model. It is damaged, or something else (a vocabulary "
            f"of one token a line has a name in .txt): {str(error).strip()}"
        ) from None
    return processor


def _from_tokenizer_json(document: Any, path: str) -> tuple[bytes, bool, bool]:
    """Return the model in SentencePiece's format, and whether case and accents are kept."""
    from .piece_bytes import Kind, model_bytes  # which vocabularies of words need not wait for

    model = member(document, "model", dict, path)
    if model.get("type") != "Unigram":
        raise VocabularyError(
            f"{path} must describe a tokenizer of the type Unigram. `load_tokenizer` takes others, "
            f"too. Received: {model.get('type')!r}"
        )
    if model.get("byte_fallback"):
        raise VocabularyError(f"{path} must not have byte_fallback, which ALBERT's models lack.")
    entries = [_entry(entry, path) for entry in member(model, "vocab", list, path)]
    unknown = member(model, "unk_id", int, path)
    if not 0 <= unknown < len(entries):
        raise VocabularyError(
            f"{path} must have a piece for 'unk_id'. Received: {unknown}, for {len(entries)} pieces"
        )
    controls = set(PIECE_SPECIAL_TOKENS)
    for added in document.get("added_tokens") or ():
        content, index = member(added, "content", str, path), member(added, "id", int, path)
        if index < len(entries) and (index < 0 or entries[index][0] != content):
            raise VocabularyError(
                f"{path} must give added tokens ids of their own. Received: {content!r}, as the id "
                f"{index}."
            )
        if added.get("special"):
            controls.add(content)
    charsmap, cased, keep_accents = _normalization(document, path)
    _check_pre_tokenizer(document, path)

    def kind_of(index: int, piece: str, score: float) -> Kind:
        if index == unknown:
            return Kind.UNKNOWN
        if piece in controls:
            return Kind.CONTROL
        return Kind.USER_DEFINED if score == 0 else Kind.NORMAL  # no learned piece is certain

    pieces = ((*entry, kind_of(index, *entry)) for index, entry in enumerate(entries))
    return model_bytes(pieces, charsmap), cased, keep_accents


def _entry(entry: Any, path: str) -> tuple[str, float]:
    is_pair = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
    if not is_pair or type(entry[1]) not in (int, float) or not abs(entry[1]) < 1e30:
        raise VocabularyError(f"{path} must give each piece a score. Received: {shorten(entry)}")
    piece, score = entry
    if has_surrogates(piece):
        raise VocabularyError(f"{path} must hold whole characters. Received: {piece!r}")
    if ends_as_number(piece) and score <= -PENALTY:
        score += PENALTY
    return piece, score


def ends_as_number(piece: str) -> bool:
    """Whether a piece ends in a digit and a comma, between which ALBERT divides it."""
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()


def _normalization(document: dict[str, Any], path: str) -> tuple[bytes, bool, bool]:
    """Return the precompiled map of characters, and whether case and accents are kept.

    Nothing but ALBERT's own steps is taken: what another one does to texts would be lost.
    """
    normalizer = document.get("normalizer")
    steps = normalizer.get("normalizers") if isinstance(normalizer, dict) else None
    rest = list(steps) if isinstance(steps, list) else []

    def takes(expected: list[dict[str, Any]]) -> bool:
        found = rest[: len(expected)] == expected
        if found:
            del rest[: len(expected)]
        return found

    has_quotes = takes(QUOTES)
    keep_accents, cased = not takes(NO_ACCENTS), not takes(LOWER_CASE)
    charsmap = b""
    if rest and isinstance(rest[0], dict) and rest[0].get("type") == "Precompiled":
        encoded = member(rest.pop(0), "precompiled_charsmap", str, path)
        try:
            charsmap = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise VocabularyError(f"{path} has a damaged precompiled_charsmap: {error}") from None
    takes(BLANKS)
    if not has_quotes or rest:
        raise VocabularyError(
            f"{path} must normalize texts as ALBERT's tokenizer does: quotes, NFKD and "
            "StripAccents, Lowercase, Precompiled, blanks, in this order. Received: "
            f"{shorten(rest or normalizer)}"
        )
    return charsmap, cased, keep_accents


def _check_pre_tokenizer(document: dict[str, Any], path: str) -> None:
    """Refuse what divides texts elsewhere than at blanks, or puts none before the first word."""
    given = document.get("pre_tokenizer")
    given = given if isinstance(given, dict) else {}
    steps = given.get("pretokenizers") if given.get("type") == "Sequence" else [given]
    steps = steps if isinstance(steps, list) else [None]
    if len(steps) == 2 and steps[0] == {"type": "WhitespaceSplit"}:
        steps = steps[1:]
    last = steps[0] if len(steps) == 1 and isinstance(steps[0], dict) else {}
    # Files of before 2023 have `add_prefix_space`.
    prefix = last.get("prepend_scheme", "always" if last.get("add_prefix_space") else "never")
    if last.get("type") != "Metaspace" or last.get("replacement") != SPACE or prefix == "never":
        raise VocabularyError(
            f"{path} must divide texts by Metaspace, with {SPACE!r} before the first word, as "
            f"ALBERT's tokenizer does. Received: {shorten(given)}"
        )
