"""Special and added tokens, which are kept whole in a text.

Source: Hugging Face tokenizers, `added_vocabulary.rs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class KeptToken(NamedTuple):
    """A token that is kept whole.

    Attributes:
        content: What it is called.
        normalized: Whether a text that loses its case has it in capitals, too.
        single_word: Whether it is no token inside of a word.
    """

    content: str
    normalized: bool = False
    single_word: bool = False


class KeptTokens:
    """Finds tokens that are kept whole.

    Of tokens that begin at the same character it is the longest. Accents hide a `normalized` token,
    which Hugging Face finds in a text without them.

    Args:
        tokens: The tokens.
        cased: Whether the text keeps its case.
    """

    def __init__(self, tokens: Iterable[KeptToken], cased: bool = True):
        given = dict.fromkeys(each for each in tokens if each.content)
        ordered = sorted(given, key=lambda each: -len(each.content))
        self._contents = {each.content for each in ordered}
        lowered = () if cased else [each.content for each in ordered if each.normalized]
        self._by_lower = {_in_small(content): content for content in lowered}
        patterns = []
        for content, normalized, single_word in ordered:
            pattern = re.escape(content)
            if normalized and not cased:
                pattern = "".join(map(_in_either_case, content))
            patterns.append(rf"(?<!\w){pattern}(?!\w)" if single_word else pattern)
        self._find = re.compile("|".join(patterns)) if patterns else None

    def are_in(self, text: str) -> bool:
        """Whether a text has any."""
        return self._find is not None and self._find.search(text) is not None

    def split(self, text: str) -> Iterator[tuple[int, int, str | None]]:
        """Yield (start, end, the token or None) of the parts of a text."""
        end = 0
        for found in self._find.finditer(text) if self._find is not None else ():
            if found.start() > end:
                yield end, found.start(), None
            written = found[0]
            is_exact = written in self._contents
            yield *found.span(), written if is_exact else self._by_lower[_in_small(written)]
            end = found.end()
        if end < len(text):
            yield end, len(text), None


def _in_small(text: str) -> str:
    """The text in small letters, each by itself: a capital sigma at a word's end is no other."""
    return "".join(map(str.lower, text))


def _in_either_case(character: str) -> str:
    """A pattern of the character, small or capital; re.IGNORECASE takes others for the same."""
    small = character.lower()
    cases = {small, small.upper(), small.title()}
    alike = sorted(each for each in cases if len(each) == 1 and each.lower() == small)
    return f"[{''.join(map(re.escape, alike))}]" if len(alike) > 1 else re.escape(character)


NO_TOKENS = KeptTokens(())
