"""How many texts have more tokens than a model reads of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CutTexts:
    """Counts texts that lost tokens.

    Args:
        tokenizer: The tokenizer that made the ids.
        limit: The most ids of a text; None for any number.
    """

    def __init__(self, tokenizer: Any, limit: int | None):
        self._tokenizer, self._limit = tokenizer, limit
        self._cut = 0

    def count(self, ids: Sequence[int], first: str, second: str | None = None) -> None:
        """Count a text or a pair, with the ids that are left of it."""
        if len(ids) != self._limit:
            return
        with_one_more, _, _ = self._tokenizer._encode(first, second, self._limit + 1)
        self._cut += len(with_one_more) > self._limit

    def message(self) -> str | None:
        """What to tell the user, if there were any."""
        if not self._cut:
            return None
        texts = "1 text was" if self._cut == 1 else f"{self._cut:,} texts were"
        return (
            f"{texts} longer than {self._limit} tokens, [CLS] and [SEP] included; what is beyond "
            "was cut off"
        )
