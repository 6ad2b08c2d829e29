"""Sentence models in `extract_embeddings`: the model, and how its folder has texts prepared."""

from __future__ import annotations

import os
from typing import Any

from ..loader.sentence_models import load_sentence_model
from ..loader.text_settings import TextSettings, settings_of
from ..tokenizer import Tokenizer
from .pooling import POOL_SENTENCE


def sentence_model(model: Any, vocabs: Any, cased: bool | None) -> tuple[Any, TextSettings]:
    """A sentence model, which is loaded if a folder is given, and its settings.

    The settings are those that came with the folder, with `vocabs`, if given, as vocabulary.

    Raises:
        ValueError: If no vocabulary is known, or `cased` contradicts the tokenizer.
    """
    if isinstance(model, (str, os.PathLike)):
        model = load_sentence_model(model)
    settings = settings_of(model)
    if vocabs is None and settings is None:
        raise ValueError(
            f"With {POOL_SENTENCE}, a Model that load_sentence_model has not loaded in this "
            "process, or that came without a vocabulary, needs `vocabs`: its tokenizer."
        )
    if vocabs is not None:
        tokenizer = vocabs
        if not isinstance(vocabs, Tokenizer):
            if cased is None and settings is not None:
                cased = settings.tokenizer._cased
            tokenizer = Tokenizer(vocabs, cased=bool(cased), official=True)
        settings = (settings or TextSettings(tokenizer))._replace(tokenizer=tokenizer)
    check_case(settings.tokenizer, cased)
    return model, settings


def check_case(tokenizer: Tokenizer, cased: bool | None) -> None:
    """Refuse a `cased` that contradicts a tokenizer."""
    if cased is not None and bool(cased) != bool(tokenizer._cased):
        raise ValueError(
            "`cased` must be that of the model's tokenizer, or be left out. Received: "
            f"cased={cased}, and a tokenizer with cased={tokenizer._cased}. For another, pass a "
            "tokenizer as `vocabs`."
        )
