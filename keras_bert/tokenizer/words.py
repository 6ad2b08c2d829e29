"""Text to words, by the rules of keras-bert 0.89 or by the official ones of BERT, plainly.

`token_cache.py` gives the same words several times faster. The two sets of rules differ in their
order and in a few characters:

| | 0.89 | official |
|---|---|---|
| first | accents, case | control characters, spaces, Chinese characters |
| then | punctuation, Chinese characters, spaces, control characters | accents, case, punctuation |
| case | of the whole text: a final sigma stays one | of each character |
| dropped | Cc, Cf | Cc, Cf, Co, Cs |
| special tokens in the text | split like anything else | kept whole |
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from . import characters
from .characters import NULL, REPLACEMENT_CHARACTER, is_private_or_surrogate
from .kept_tokens import NO_TOKENS, KeptTokens

CharacterRule = Callable[[str], bool]
# A text made from another, and for each of its characters the position in that other text.
TracedText = tuple[str, Sequence[int]]

_WORD = re.compile(r"\S+")
_SPACE_CONTROLS = "\t\n\r"  # control characters that count as spaces officially


class CharacterRules(NamedTuple):
    """The four questions about a character, which subclasses of the tokenizer may answer."""

    is_punctuation: CharacterRule = characters.is_punctuation
    is_cjk_character: CharacterRule = characters.is_cjk_character
    is_space: CharacterRule = characters.is_space
    is_control: CharacterRule = characters.is_control


OWN_RULES = CharacterRules()


class Word(NamedTuple):
    """A word, normalized, or a token that is kept whole."""

    text: str
    positions: Sequence[int]  # of its characters, in the original text
    is_special: bool = False


def split_words(
    text: str,
    cased: bool,
    official: bool,
    kept: KeptTokens = NO_TOKENS,
    rules: CharacterRules = OWN_RULES,
    keep_accents: bool | None = None,
) -> Iterator[Word]:
    """Yield the words of a text, and the tokens that are kept whole."""
    for start, end, token in kept.split(text):
        if token is not None:
            yield Word(token, range(start, end), True)
        else:
            spaced, positions = space_out(text[start:end], cased, official, rules, keep_accents)
            yield from words_at_blanks(spaced, [start + position for position in positions])


def words_at_blanks(spaced: str, positions: Sequence[int]) -> Iterator[Word]:
    """Yield the words of a text in which blanks separate them."""
    for found in _WORD.finditer(spaced):
        start, end = found.span()
        yield Word(found[0], positions[start:end])


def space_out(
    text: str,
    cased: bool,
    official: bool,
    rules: CharacterRules = OWN_RULES,
    keep_accents: bool | None = None,
) -> TracedText:
    """Return the normalized text, with blanks wherever a word ends.

    Officially accents may be kept without the case, or the other way round; None: as the case.
    """
    traced: TracedText = text, range(len(text))
    if official:
        traced = _replace(traced, lambda character: _cleaned(character, rules))
        if not (cased if keep_accents is None else keep_accents):
            traced = _strip_accents(traced)
        if not cased:
            traced = _replace(traced, str.lower)
        return _replace(traced, lambda c: f" {c} " if rules.is_punctuation(c) else c)
    if not cased:
        stripped, positions = _strip_accents(traced)
        # None of the characters left has a longer lower form: positions stay valid.
        traced = stripped.lower(), positions
    return _replace(traced, lambda character: _spaced(character, rules))


def _replace(traced: TracedText, replacement: Callable[[str], str]) -> TracedText:
    text, positions = traced
    parts = list(map(replacement, text))
    repeated = [position for part, position in zip(parts, positions, strict=True) for _ in part]
    return "".join(parts), repeated


def _spaced(character: str, rules: CharacterRules) -> str:
    """By 0.89's rules, which are asked in this order."""
    if rules.is_punctuation(character) or rules.is_cjk_character(character):
        return f" {character} "
    if rules.is_space(character):
        return " "
    if character in (NULL, REPLACEMENT_CHARACTER) or rules.is_control(character):
        return ""
    return character


def _cleaned(character: str, rules: CharacterRules) -> str:
    """By the official rules, all but punctuation."""
    if character in (NULL, REPLACEMENT_CHARACTER) or is_private_or_surrogate(character):
        return ""
    if character not in _SPACE_CONTROLS and rules.is_control(character):
        return ""
    if rules.is_space(character):
        return " "
    return f" {character} " if rules.is_cjk_character(character) else character


def _strip_accents(traced: TracedText) -> TracedText:
    """Decompose (NFD) and drop marks of category Mn."""
    text, positions = traced
    if text.isascii():
        return traced
    decomposed = [
        (part, position)
        for character, position in zip(text, positions, strict=True)
        for part in unicodedata.normalize("NFD", character)
    ]
    kept = [pair for pair in _reordered(decomposed) if unicodedata.category(pair[0]) != "Mn"]
    return "".join(character for character, _ in kept), [position for _, position in kept]


def _reordered(decomposed: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Sort each run of combining characters by their class: Unicode's canonical order."""
    ordered: list[tuple[str, int]] = []
    for _, run in groupby(decomposed, key=lambda pair: _combining(pair) > 0):
        ordered += sorted(run, key=_combining)
    return ordered


def _combining(pair: tuple[str, int]) -> int:
    return unicodedata.combining(pair[0])
