"""What a folder of Hugging Face's says of its tokenizer beside the vocabulary and its case.

Source: transformers 5, `models/bert/tokenization_bert.py`, and `tokenization_utils_base.py` for
tokens that were added, which each version has written elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from .special_tokens import SPECIAL_TOKENS
from .vocabulary import VocabularyError, is_tokenizer_json, read_json, read_settings


class TextRules(NamedTuple):
    """Where BERT's own tokenizer does otherwise than usual.

    Attributes:
        keep_accents: Whether accents stay; None if they do with the case.
        chinese_words: Whether each Chinese character is a word.
        added: Tokens that were added to the vocabulary, or are special ones of the model's own:
            they are kept whole in a text.
    """

    keep_accents: bool | None = None
    chinese_words: bool = True
    added: tuple[str, ...] = ()


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
        tuple(token for token in dict.fromkeys(found) if token and token not in SPECIAL_TOKENS),
    )
    return rules, ids


def _added(path: str, folder: str, settings: Mapping[str, Any]) -> tuple[list[str], dict[str, int]]:
    """The tokens that are kept whole, and the ids of those that have one here."""
    if is_tokenizer_json(path):
        entries = read_json(path).get("added_tokens") or ()  # `load_vocabulary` has their ids
        return [each["content"] for each in entries], {}
    ids: dict[str, int] = {}
    try:
        named = os.path.join(folder, "added_tokens.json")
        if os.path.exists(named):
            ids.update(read_json(named))
        for index, token in (settings.get("added_tokens_decoder") or {}).items():
            ids[token["content"]] = int(index)
        special = read_settings(folder, "special_tokens_map.json")
        further = special.get("additional_special_tokens") or []
        contents = [each if isinstance(each, str) else each["content"] for each in further]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, VocabularyError):
            raise
        raise VocabularyError(
            f"{folder} must give each added token its content and its id. It does not: {error!r}"
        ) from None
    if not all(type(index) is int and index >= 0 for index in ids.values()):
        raise VocabularyError(f"{folder} must give each added token an id from 0. Received: {ids}.")
    return [*ids, *contents], ids


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
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word", "special"), False)
    added = {
        str(vocabulary[token]): {"content": token, **flags}
        for token in rules.added
        if token in vocabulary
    }
    return {**settings, "added_tokens_decoder": added} if added else settings
