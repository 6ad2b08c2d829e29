"""The tokens of the rules, several times faster: a cached way from texts to tokens and ids.

It rests on these facts:

- Every rule but two looks at one character alone, so that one table for `str.translate` replaces
  normalization, accents, case, punctuation and spaces. The two are 0.89's final form of the Greek
  sigma and the order of combining marks that are kept; texts with such characters go through
  `words.py`.
- A blank always ends a word and is no context for its neighbours, so the tokens of a text are
  those of its blank-separated chunks, and chunks repeat.
- Chinese characters and most punctuation stand alone: each is a word, and one table gives its
  token. Chinese texts hold few other characters, and the runs of these repeat, too.
- Words repeat still more.
"""

import re
import unicodedata
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, repeat
from typing import Any, NamedTuple

from .special_tokens import TOKEN_MASK
from .text_lookup import (
    BLANK,
    CACHE_ENTRIES,
    CACHE_KEY_CHARACTERS,
    CAPITAL_SIGMA,
    BoundedCache,
    TextLookup,
    runs,
)
from .word_pieces import greedy_pieces, place_pieces, reach_of
from .words import placed_words, space_out, specials_pattern, split_specials

# Vocabularies up to this size are compared item by item on each call.
_SMALL_VOCABULARY = 256
# Mappings known to have dict's own look-up and key order.
_PLAIN_MAPPINGS = frozenset((dict, OrderedDict, defaultdict, Counter))


class Settings(NamedTuple):
    """What the tokens of a text depend on, beside the vocabulary."""

    cased: bool
    official: bool
    unknown: str
    opening: str
    separator: str

    def kept_whole(self, vocabulary: Mapping[str, int]) -> re.Pattern | None:
        """Return what finds the special tokens that are kept whole in a text."""
        if not self.official:
            return None
        specials = (self.unknown, self.opening, self.separator, "[PAD]", TOKEN_MASK)
        return specials_pattern(token for token in specials if token in vocabulary)


class _NeedsContext(Exception):
    """A character whose replacement depends on its neighbours."""


class _CharacterTable(dict):
    """Code point to what the rules make of that character: a lazy table for `str.translate`."""

    def __init__(self, cased: bool, official: bool):
        super().__init__()
        self.cased = cased
        self.official = official

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        if not self.cased:
            decomposed = unicodedata.normalize("NFD", character)
            kept = [c for c in decomposed if unicodedata.category(c) != "Mn"]
            final_form = not self.official and CAPITAL_SIGMA in kept
            if final_form or any(map(unicodedata.combining, kept)):
                # Not a LookupError: `translate` takes that for "keep the character".
                raise _NeedsContext
        replacement, _ = space_out(character, self.cased, self.official)
        if len(self) < CACHE_ENTRIES:
            self[code_point] = replacement
        return replacement


# Shared by all tokenizers: they depend on nothing else.
_TABLES = {
    (cased, official): _CharacterTable(cased, official)
    for cased in (False, True)
    for official in (False, True)
}


def _items(mapping: Mapping) -> tuple[tuple, tuple]:
    return tuple(mapping), tuple(mapping.values())


def _moved(places: Iterable[tuple[int, int]], start: int) -> Iterable[tuple[int, int]]:
    if not start:
        return places
    return [(start + first, start + last) for first, last in places]


class TokenCache:
    """The tokens and the ids that the rules give for a text, by way of caches.

    The vocabulary may change under it; whoever uses it asks `is_current` first. That notices
    every change of a vocabulary of up to 256 tokens. In a larger one it notices each key added or
    removed, but neither a rebuilding in place that ends with as many tokens and the same first and
    last string objects as before, nor another id for a token that was there.

    Safe in threads: entries are only ever added or all dropped, and never change.

    Args:
        vocabulary: token to id.
        settings: the rules to follow.
    """

    def __init__(self, vocabulary: Mapping[str, int], settings: Settings):
        tokens = list(vocabulary)
        self._vocabulary = vocabulary
        self._settings = settings
        self._size = len(tokens)
        self._first, self._last = (tokens[0], tokens[-1]) if tokens else (None, None)
        self._small = _items(vocabulary) if self._size <= _SMALL_VOCABULARY else None
        self.unknown_id = vocabulary.get(settings.unknown)
        self.end_ids = vocabulary.get(settings.opening), vocabulary.get(settings.separator)
        # Each token is the vocabulary's own string object: look-ups compare addresses then.
        self._tokens = dict(zip(tokens, tokens, strict=True))
        self._reach = reach_of(token for token in tokens if isinstance(token, str))
        self._specials = settings.kept_whole(vocabulary)
        self._table = _TABLES[bool(settings.cased), bool(settings.official)]
        self._pieces = BoundedCache(self._cut)
        self._places = BoundedCache(self._place)
        sigma = not settings.cased and not settings.official
        unknown = settings.unknown if settings.official else None
        shared = unknown, self._tokens, sigma
        self._token_texts = TextLookup(self._pieces_of, tuple, *shared)
        self._id_texts = TextLookup(self._pieces_of, self._ids_of, *shared)
        # The ids of `tokens`: `unknown_id` for those that have none.
        self.ids = self._id_texts.of if self._specials is None else self._ids_around_specials

    @staticmethod
    def serves(vocabulary: Mapping[str, int]) -> bool:
        """Whether the vocabulary is of a kind whose look-ups and changes are known."""
        return type(vocabulary) in _PLAIN_MAPPINGS

    def follows(self, settings: Settings) -> bool:
        """Whether the caches are for these rules."""
        return settings == self._settings

    def is_current(self, vocabulary: Mapping[str, int]) -> bool:
        """Whether the caches still hold for this vocabulary."""
        if vocabulary is not self._vocabulary or len(vocabulary) != self._size:
            return False
        if self._small is not None:
            return _items(vocabulary) == self._small
        # A key that was added stands last, so that an exchange of keys shows there.
        return next(reversed(vocabulary)) is self._last and next(iter(vocabulary)) is self._first

    def __reduce__(self) -> tuple:
        """Pickle and copy as None: caches are made anew where they are needed."""
        return type(None), ()

    def pieces(self, word: str) -> list[str]:
        """Return the pieces of a word."""
        return list(self._pieces[word])

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of all the words of a text."""
        if self._specials is None or self._specials.search(text) is None:
            return self._token_texts.of(text)
        return self._around_specials(text, self._token_texts.of, lambda token: token)

    def _ids_around_specials(self, text: str) -> list[int]:
        if self._specials.search(text) is None:
            return self._id_texts.of(text)
        return self._around_specials(text, self._id_texts.of, self._vocabulary.get)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) in the text for each of `tokens`."""
        places: list[tuple[int, int]] = []
        for start, end, is_special in split_specials(text, self._specials):
            part_places = [(0, end - start)] if is_special else self._part_places(text[start:end])
            places += _moved(part_places, start)
        return places

    def _part_places(self, text: str) -> list[tuple[int, int]]:
        """Return the places in a text without special tokens."""
        if not self._token_texts.goes_by_characters(text):
            return self._chunk_places(text)
        places = list(zip(range(len(text)), range(1, len(text) + 1), strict=True))
        for start, end in runs(text):
            run = text[start:end]
            cached = len(run) <= CACHE_KEY_CHARACTERS
            run_places = self._places[run] if cached else self._chunk_places(run)
            places[start:end] = _moved(run_places, start)
        return places

    def _chunk_places(self, text: str) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []
        start = 0
        for chunk in text.split(BLANK):
            places += _moved(self._places[chunk], start)
            start += len(chunk) + 1
        return places

    def _around_specials(
        self, text: str, of: Callable[[str], list[Any]], output: Callable[[str], Any]
    ) -> list[Any]:
        outputs: list[Any] = []
        for start, end, is_special in split_specials(text, self._specials):
            part = text[start:end]
            outputs += [output(part)] if is_special else of(part)
        return outputs

    def _cut(self, word: str) -> tuple[str, ...]:
        unknown = self._settings.unknown if self._settings.official else None
        pieces = greedy_pieces(word, self._tokens, unknown, self._reach)
        return tuple(map(self._tokens.get, pieces, pieces))

    def _ids_of(self, tokens: Iterable[str]) -> tuple[int, ...]:
        return tuple(map(self._vocabulary.get, tokens, repeat(self.unknown_id)))

    def _pieces_of(self, chunk: str) -> Iterable[str]:
        try:
            words = chunk.translate(self._table).split()
        except _NeedsContext:
            words = space_out(chunk, self._settings.cased, self._settings.official)[0].split()
        return chain.from_iterable(map(self._pieces.__getitem__, words))

    def _place(self, chunk: str) -> tuple[tuple[int, int], ...]:
        try:
            parts = [self._table[ord(character)] for character in chunk]
            spaced = "".join(parts), [i for i, part in enumerate(parts) for _ in part]
        except _NeedsContext:
            spaced = space_out(chunk, self._settings.cased, self._settings.official)
        places: list[tuple[int, int]] = []
        for word in placed_words(*spaced):
            places += place_pieces(word, self._pieces[word.text], self._settings.unknown)
        return tuple(places)
