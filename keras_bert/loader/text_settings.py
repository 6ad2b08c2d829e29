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
        lower_case: Whether texts are put in lower case before the tokenizer, whatever that does.
        pools_prompts: Whether the tokens of a prompt count in the pooling.
        similarity: What sentence-transformers compares vectors by.
    """

    tokenizer: Tokenizer
    max_length: int | None = None
    prompts: Mapping[str, str] = {}
    default_prompt: str | None = None
    lower_case: bool = False
    pools_prompts: bool = True
    similarity: str = "cosine"

    def prompt(self, name: str | None) -> str:
        """The text to put before every text.

        Args:
            name: Name of a prompt; None for the default one, "" for none.

        Raises:
            ValueError: If there is no such prompt, or the pooling leaves out prompts.
        """
        name = self.default_prompt if name is None else name
        if not name:
            return ""
        if name not in self.prompts:
            names = ", ".join(map(repr, self.prompts)) or "none"
            raise ValueError(
                f"`prompt` must be the name of one of the model's prompts, which are {names}. "
                f"Received: {name!r}."
            )
        if self.prompts[name] and not self.pools_prompts:
            raise ValueError(
                "The model's pooling leaves out the tokens of prompts (include_prompt), which "
                f"keras-bert cannot do. Received: prompt={name!r}; without one, pass prompt=''."
            )
        return self.prompts[name]


_settings: weakref.WeakKeyDictionary[Any, TextSettings] = weakref.WeakKeyDictionary()


def remember(model: Any, settings: TextSettings) -> None:
    """Note the settings of a model, as long as it exists."""
    _settings[model] = settings


def settings_of(model: Any) -> TextSettings | None:
    """The settings that were noted of a model; None for one that was built otherwise."""
    return _settings.get(model)
