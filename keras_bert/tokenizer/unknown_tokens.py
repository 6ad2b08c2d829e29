"""How many tokens of texts the vocabulary lacks: a model in another language knows few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_FEWEST = 5  # tokens that tell a language: an emoji is none


class UnknownTokens:
    """Counts the tokens of texts, and those that the vocabulary lacks.

    Args:
        tokenizer: The tokenizer that made the ids.

    Attributes:
        number: How many tokens the vocabulary lacks.
    """

    def __init__(self, tokenizer: Any):
        self._name = tokenizer._token_unk
        self._id_of = tokenizer._token_dict.get
        self._id = self._id_of(self._name)
        self.number = self._all = 0

    def count(self, ids: Sequence[int], special: int = 2) -> None:
        """Count the ids of a text, of which some are special tokens around it."""
        self.number += list(ids).count(self._id)
        self._all += len(ids) - special

    def count_tokens(self, tokens: Iterable[str], special: int = 2) -> None:
        """Count the tokens of a text, of a vocabulary without an unknown one, too."""
        self.count([self._id_of(token, self._id) for token in tokens], special)

    def message(self) -> str | None:
        """What to tell the user, if most of the tokens are unknown."""
        if 2 * self.number <= self._all or self._all < _FEWEST:
            return None
        return (
            f"most tokens of the texts are not in the vocabulary and became {self._name}, which "
            "tells the model nothing of them: is it a model of another language?"
        )
