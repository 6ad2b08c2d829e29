"""What a folder of Hugging Face's says of its tokenizer beside the vocabulary and its case.

Source: transformers 5, `models/bert/tokenization_bert.py`, and `tokenization_utils_base.py` for
tokens that were added, which each version has written elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .kept_tokens import KeptToken
from .special_tokens import SPECIAL_TOKENS
from .vocabulary import VocabularyError, is_tokenizer_json, read_json, read_settings


class TextRules(NamedTuple):
    """Where BERT's own tokenizer does otherwise than usual.

    Attributes:
        keep_accents: Whether accents stay; None if they do with the case.
        chinese_words: Whether each Chinese character is a word.
        added: Tokens that were added to the vocabulary, or are special ones of the model's own.
        cuts_start: Whether a text that is too long loses its beginning, not its end.
    """

    keep_accents: bool | None = None
    chinese_words: bool = True
    added: tuple[KeptToken, ...] = ()
    cuts_start: bool = False


USUAL_RULES = TextRules()


def read_text_rules(vocab_path: str | os.PathLike[str]) -> tuple[TextRules, dict[str, int]]:
    """Read the rules beside a vocabulary file, and the ids of added tokens that it may lack.

    Raises:
        VocabularyError: If an added token has no proper id.
    """
    path = os.fspath(vocab_path)
    folder = os.path.dirname(path)
    settings = read_settings(folder)
    strip_accents = settings.get("strip_accents")
    found, ids = _added(path, folder, settings)
    rules = TextRules(
        None if strip_accents is None else not strip_accents,
        settings.get("tokenize_chinese_chars") is not False,
        tuple(each for each in found if each.content and each.content not in SPECIAL_TOKENS),
        settings.get("truncation_side") == "left",
    )
    return rules, ids


def _added(
    path: str, folder: str, settings: Mapping[str, Any]
) -> tuple[list[KeptToken], dict[str, int]]:
    """The tokens that are kept whole, and the ids of those that have one here."""
    ids: dict[str, int] = {}
    entries: dict[str, Mapping[str, Any]] = {}  # by content; the last that names one holds
    try:
        if not is_tokenizer_json(path):
            special = read_settings(folder, "special_tokens_map.json")
            for each in special.get("additional_special_tokens") or []:
                entry = {"content": each} if isinstance(each, str) else each
                entries[entry["content"]] = {"special": True, **entry}
            named = os.path.join(folder, "added_tokens.json")
            if os.path.exists(named):
                ids.update(read_json(named))
            for token in ids:
                entries.setdefault(token, {})
            for index, entry in (settings.get("added_tokens_decoder") or {}).items():
                ids[entry["content"]] = int(index)
                entries[entry["content"]] = entry
            path = os.path.join(folder, "tokenizer.json")
        for entry in _added_in(path):
            if entry["content"] in SPECIAL_TOKENS:  # whose ids the vocabulary has
                continue
            ids[entry["content"]] = entry["id"]
            entries[entry["content"]] = entry
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, VocabularyError):
            raise
        raise VocabularyError(
            f"The added tokens in {folder} (tokenizer_config.json, added_tokens.json, "
            "special_tokens_map.json or tokenizer.json) must have a content and an id each."
        ) from error
    if not all(type(index) is int and index >= 0 for index in ids.values()):
        raise VocabularyError(f"{folder} must give each added token an id from 0. Received: {ids}.")
    return [_kept(token, entry) for token, entry in entries.items()], ids


def _added_in(tokenizer_json: str) -> Sequence[Mapping[str, Any]]:
    """The added tokens of a file that may lie beside a vocabulary; transformers 5 has no other."""
    if not os.path.exists(tokenizer_json):
        return ()
    document = read_json(tokenizer_json)
    if not isinstance(document, dict):
        raise VocabularyError(f"{tokenizer_json} must hold a JSON object.")
    return document.get("added_tokens") or ()


def _kept(token: str, entry: Mapping[str, Any]) -> KeptToken:
    """A token with its flags, of which older folders leave out those that are as usual."""
    normalized = entry.get("normalized", not entry.get("special", False))
    return KeptToken(token, bool(normalized), bool(entry.get("single_word", False)))


def with_added(vocabulary: dict[str, int], ids: Mapping[str, int], path: str) -> dict[str, int]:
    """A vocabulary with the tokens that were added to it.

    Raises:
        VocabularyError: If a token has another id there, or an id is another token's.
    """
    tokens = {index: token for token, index in vocabulary.items()}
    for token, index in ids.items():
        if vocabulary.get(token, index) != index or tokens.get(index, token) != token:
            raise VocabularyError(
                f"The added tokens beside {path} must have ids of their own. Received: {token!r} "
                f"with the id {index}, where the file has {tokens.get(index)!r} and gives "
                f"{token!r} the id {vocabulary.get(token)}."
            )
    further = {token: index for token, index in ids.items() if token not in vocabulary}
    return {**vocabulary, **dict(sorted(further.items(), key=lambda entry: entry[1]))}


def as_settings(rules: TextRules, vocabulary: Mapping[str, int]) -> dict[str, Any]:
    """The entries of tokenizer_config.json that say so."""
    settings: dict[str, Any] = {}
    if rules.keep_accents is not None:
        settings["strip_accents"] = not rules.keep_accents
    if not rules.chinese_words:
        settings["tokenize_chinese_chars"] = False
    if rules.cuts_start:
        settings["truncation_side"] = "left"
    added = {str(index): entry for index, entry in added_entries(rules, vocabulary).items()}
    return {**settings, "added_tokens_decoder": added} if added else settings


def added_entries(rules: TextRules, ids: Mapping[str, int]) -> dict[int, dict[str, Any]]:
    """What Hugging Face's files say of each added token that has an id, by that id."""
    further = dict.fromkeys(("lstrip", "rstrip", "special"), False)
    return {
        ids[each.content]: {**each._asdict(), **further}
        for each in rules.added
        if each.content in ids
    }
