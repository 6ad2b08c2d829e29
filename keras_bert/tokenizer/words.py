"""Text to words, by the rules of keras-bert 0.89 or by the official ones of BERT.

This is the plain way, a character at a time, which also knows where each character of a word comes
from. `token_cache.py` gives the same words several times faster.

The two sets of rules differ in their order and in a few characters:

| | 0.89 | official |
|---|---|---|
| first | accents, case | control characters, spaces, Chinese characters |
| then | punctuation, Chinese characters, spaces, control characters | accents, case, punctuation |
| case | of the whole text: a final sigma stays one | of each character |
| dropped | Cc, Cf | Cc, Cf, Co, Cs |
| special tokens in the text | cut like anything else | kept whole |
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from . import characters
from .characters import NULL, REPLACEMENT_CHARACTER, is_private_or_surrogate

CharacterRule = Callable[[str], bool]
# A text and, for each of its characters, the place in the original text that it comes from.
PlacedText = tuple[str, Sequence[int]]

_WORD = re.compile(r"\S+")
# Control characters that count as spaces officially.
_SPACE_CONTROLS = "\t\n\r"


class CharacterRules(NamedTuple):
    """The four questions about a character, which subclasses of the tokenizer may answer."""

    is_punctuation: CharacterRule = characters.is_punctuation
    is_cjk_character: CharacterRule = characters.is_cjk_character
    is_space: CharacterRule = characters.is_space
    is_control: CharacterRule = characters.is_control


OWN_RULES = CharacterRules()


class Word(NamedTuple):
    """A word and the places of its characters, or a special token that stands in the text."""

    text: str
    places: Sequence[int]
    is_special: bool = False


def split_words(
    text: str,
    cased: bool,
    official: bool,
    specials: re.Pattern | None = None,
    rules: CharacterRules = OWN_RULES,
) -> Iterator[Word]:
    """Split a text into words.

    Args:
        text: the text.
        cased: whether to keep accents and case.
        official: whether to follow BERT's own rules instead of those of 0.89.
        specials: finds the special tokens to be kept whole.
        rules: what is punctuation and so on.

    Yields:
        The words in their order.
    """
    for start, stop, is_special in split_specials(text, specials):
        part = text[start:stop]
        if is_special:
            yield Word(part, range(start, stop), True)
            continue
        spaced, places = space_out(part, cased, official, rules)
        yield from placed_words(spaced, [start + place for place in places])


def placed_words(spaced: str, places: Sequence[int]) -> Iterator[Word]:
    """Yield the words of a text in which blanks separate them."""
    for found in _WORD.finditer(spaced):
        start, end = found.span()
        yield Word(found[0], places[start:end])


def split_specials(text: str, specials: re.Pattern | None) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, whether it is a special token) of the parts of a text."""
    end = 0
    for found in specials.finditer(text) if specials is not None else ():
        if found.start() > end:
            yield end, found.start(), False
        yield found.start(), found.end(), True
        end = found.end()
    if end < len(text):
        yield end, len(text), False


def specials_pattern(tokens: Iterable[str]) -> re.Pattern | None:
    """Compile what finds these tokens in a text, the longest where several begin."""
    ordered = sorted({token for token in tokens if token}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def space_out(
    text: str,
    cased: bool,
    official: bool,
    rules: CharacterRules = OWN_RULES,
) -> PlacedText:
    """Return the normalized text with blanks wherever a word ends."""
    placed = text, range(len(text))
    if official:
        placed = _replace(placed, lambda character: _cleaned(character, rules))
        if not cased:
            stripped, places = _strip_accents(placed)
            placed = "".join(map(str.lower, stripped)), places
        return _replace(placed, lambda c: f" {c} " if rules.is_punctuation(c) else c)
    if not cased:
        stripped, places = _strip_accents(placed)
        # Of the characters left, none has a longer lower form: places stay valid.
        placed = stripped.lower(), places
    return _replace(placed, lambda character: _spaced(character, rules))


def _replace(placed: PlacedText, replacement: Callable[[str], str]) -> PlacedText:
    text, places = placed
    parts = list(map(replacement, text))
    return "".join(parts), [place for part, place in zip(parts, places, strict=True) for _ in part]


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


def _strip_accents(placed: PlacedText) -> PlacedText:
    """Decompose (NFD) and drop marks of category Mn."""
    text, places = placed
    if text.isascii():
        return placed
    decomposed = [
        (part, place)
        for character, place in zip(text, places, strict=True)
        for part in unicodedata.normalize("NFD", character)
    ]
    kept = [pair for pair in _reordered(decomposed) if unicodedata.category(pair[0]) != "Mn"]
    return "".join(character for character, _ in kept), [place for _, place in kept]


def _reordered(decomposed: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Sort each run of combining characters by their class: Unicode's canonical order."""
    ordered: list[tuple[str, int]] = []
    run: list[tuple[int, tuple[str, int]]] = []
    for pair in decomposed:
        combining_class = unicodedata.combining(pair[0])
        if combining_class:
            run.append((combining_class, pair))
            continue
        if run:
            ordered += [later for _, later in sorted(run, key=lambda entry: entry[0])]
            run = []
        ordered.append(pair)
    return ordered + [later for _, later in sorted(run, key=lambda entry: entry[0])]
