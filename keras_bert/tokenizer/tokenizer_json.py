"""Hugging Face's tokenizer.json for a SentencePiece model of ALBERT.

From a `.model` alone, transformers 5 makes a tokenizer that starts a word behind every user-defined
piece, such as `(`; from this file, one with the pieces of Google's code. Its form is that of the
files which the published models of ALBERT have.

Source: Hugging Face's `convert_slow_tokenizer.py`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from .kept_tokens import KeptToken
from .piece_bytes import read_pieces
from .piece_model import BLANKS, LOWER_CASE, NO_ACCENTS, PENALTY, QUOTES, ends_as_number
from .special_tokens import PIECE_SPECIAL_TOKENS, PIECE_UNK, TOKEN_CLS, TOKEN_MASK, TOKEN_SEP
from .text_rules import TextRules, added_entries
from .vocabulary import SPACE, VocabularyError


def as_tokenizer_json(
    model_path: str | os.PathLike[str],
    cased: bool,
    keep_accents: bool,
    rules: TextRules,
    ids: Mapping[str, int],
) -> dict[str, Any]:
    """Return the content of the file.

    Args:
        model_path: Path of the SentencePiece model.
        cased: Whether texts keep their case.
        keep_accents: Whether they keep their accents.
        rules: Which tokens were added.
        ids: The ids of those tokens.

    Raises:
        VocabularyError: If the model is damaged, or lacks a special token.
    """
    pieces, charsmap = read_pieces(model_path)
    encoded_map = base64.b64encode(charsmap).decode()
    numbers = {piece: index for index, (piece, _) in enumerate(pieces)}
    missing = {PIECE_UNK, TOKEN_CLS, TOKEN_SEP} - numbers.keys()
    if missing:
        raise VocabularyError(f"{os.fspath(model_path)} lacks {', '.join(sorted(missing))}.")
    steps = [
        *QUOTES,
        *([] if keep_accents else NO_ACCENTS),
        *([] if cased else LOWER_CASE),
        *([{"type": "Precompiled", "precompiled_charsmap": encoded_map}] if charsmap else []),
        *BLANKS,
    ]
    metaspace = {
        "type": "Metaspace",
        "replacement": SPACE,
        "prepend_scheme": "always",
        "split": True,
    }
    specials = TextRules(added=tuple(map(KeptToken, PIECE_SPECIAL_TOKENS)))
    added = {
        **added_entries(rules, ids),
        **{
            index: {**entry, "special": True, "lstrip": entry["content"] == TOKEN_MASK}
            for index, entry in added_entries(specials, numbers).items()
        },
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, **added[index]} for index in sorted(added)],
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        },
        "post_processor": _packing(numbers),
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": numbers[PIECE_UNK],
            "vocab": [_unlikely(*each) for each in pieces],
            "byte_fallback": False,
        },
    }


def _unlikely(piece: str, score: float) -> tuple[str, float]:
    """A piece and its score; those that ALBERT divides afterwards are made unlikely instead."""
    return piece, score - PENALTY if ends_as_number(piece) else score


def _packing(ids: Mapping[str, int]) -> dict[str, Any]:
    """`[CLS] A [SEP]`, and `B [SEP]` for the second text."""

    def token(name: str, segment: int = 0) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": segment}}

    single = [
        token(TOKEN_CLS),
        {"Sequence": {"id": "A", "type_id": 0}},
        token(TOKEN_SEP),
    ]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, token(TOKEN_SEP, 1)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, *second],
        "special_tokens": {
            name: {"id": name, "ids": [ids[name]], "tokens": [name]}
            for name in (TOKEN_CLS, TOKEN_SEP)
        },
    }
