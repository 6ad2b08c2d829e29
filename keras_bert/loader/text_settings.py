"""How texts become the ids that a loaded model takes: what its folder says beside the weights."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..tokenizer import Tokenizer


class TextSettings(NamedTuple):
    """The tokenizer of a model, and what goes before and after it.

    Attributes:
        tokenizer: The tokenizer.
        max_length: The most tokens of a text, special tokens included; None for the model's own.
        prompts: Texts, by name, that may be put before a text.
        default_prompt: The name of the prompt of all texts for which none is named.
    """

    tokenizer: Tokenizer
    max_length: int | None = None
    prompts: Mapping[str, str] = {}
    default_prompt: str | None = None


_settings: weakref.WeakKeyDictionary[Any, TextSettings] = weakref.WeakKeyDictionary()


def remember(model: Any, settings: TextSettings) -> None:
    """Note the settings of a model, as long as it exists."""
    _settings[model] = settings


def settings_of(model: Any) -> TextSettings | None:
    """The settings that were noted of a model; None for one that was built otherwise."""
    return _settings.get(model)
