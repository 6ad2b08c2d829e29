"""Texts to tokens, ids and offsets by way of caches: the same as by the rules, much faster.

- Every rule but two looks at one character alone, so that one table for `str.translate` replaces
  them all. The two are 0.89's final form of the Greek sigma and the order of combining marks that
  are kept; texts with such characters go through `words.py`.
- A blank always ends a word and is no context for its neighbours, so the tokens of a text are
  those of its blank-separated chunks. Chunks repeat, and words still more.
- Chinese characters and most punctuation are a word each, and one table gives its token. Chinese
  texts hold few other characters, and the runs of these repeat, too.
"""

import unicodedata
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import product, repeat
from typing import NamedTuple, TypeGuard

from . import text_lookup
from .alignment import Offsets
from .kept_tokens import NO_TOKENS, KeptToken, KeptTokens
from .special_tokens import PADDING_TOKENS, TOKEN_MASK
from .text_lookup import BoundedCache, TextLookup
from .word_pieces import PieceSearch, piece_offsets
from .words import TracedText, space_out, words_at_blanks

# Vocabularies up to this size are compared item by item on each call.
_SMALL_VOCABULARY = 256
# Mappings known to have dict's own look-up and order of keys.
_PLAIN_MAPPINGS = frozenset((dict, OrderedDict, defaultdict, Counter))


class Settings(NamedTuple):
    """What the tokens of a text depend on, beside the vocabulary."""

    cased: bool
    official: bool
    unknown: str
    opening: str
    separator: str
    added: tuple[KeptToken, ...] = ()

    def unknown_word(self) -> str | None:
        """Return the token for words that cannot be split, None for 0.89's way with them."""
        return self.unknown if self.official else None

    def kept_whole(self, vocabulary: Mapping[str, int]) -> KeptTokens:
        """Return what finds the tokens that are kept whole in a text."""
        if not self.official:
            return NO_TOKENS
        specials = (self.unknown, self.opening, self.separator, *PADDING_TOKENS, TOKEN_MASK)
        kept = (*map(KeptToken, specials), *self.added)
        return KeptTokens((each for each in kept if each.content in vocabulary), self.cased)


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
            final_form = not self.official and text_lookup.CAPITAL_SIGMA in kept
            if final_form or any(map(unicodedata.combining, kept)):
                # Not a LookupError: `translate` takes that for "keep the character".
                raise _NeedsContext
        replacement, _ = space_out(character, self.cased, self.official)
        if len(self) < text_lookup.CACHE_ENTRIES:
            self[code_point] = replacement
        return replacement


# Shared by all tokenizers: they depend on nothing else.
_TABLES = {key: _CharacterTable(*key) for key in product((False, True), repeat=2)}


class TokenCache:
    """The tokens of a text by the rules, their ids and their offsets, by way of caches.

    The vocabulary may change under it; whoever uses it asks `is_current` first, which notices all
    changes but the two that the docstring of `Tokenizer` names. Safe in threads: entries are only
    ever added or all dropped, and never change.
    """

    def __init__(self, vocabulary: dict[str, int], settings: Settings):
        tokens = list(vocabulary)  # at once: another thread may add to it
        self._vocabulary = vocabulary
        self.settings = settings
        self._size = len(tokens)
        self._small = _items(vocabulary) if self._size <= _SMALL_VOCABULARY else None
        self._ends = tokens[:1] + tokens[-1:]
        self.unknown_id = vocabulary.get(settings.unknown)
        self.end_ids = vocabulary.get(settings.opening), vocabulary.get(settings.separator)
        # As it is now, and with its own string objects: look-ups compare addresses then.
        own = {token: index for token, index in dict(vocabulary).items() if isinstance(token, str)}
        self._id_of: Callable[..., int] = own.get
        self._kept = settings.kept_whole(vocabulary)
        self._table = _TABLES[bool(settings.cased), bool(settings.official)]
        self._offsets = BoundedCache(self._find_offsets)
        self._token_texts = self._lookup(own, own, tuple)
        self._pieces = self._token_texts.words
        # From a text to its tokens, and to their ids: `unknown_id` for those that have none.
        self.tokens = self._token_texts.of
        self.ids = self._lookup(own, own.values(), self._ids_of).of

    def _lookup(self, own: dict[str, int], outputs: Iterable, output: Callable) -> TextLookup:
        """Return what finds the outputs of a text's tokens; `output` gives those of some tokens."""
        settings = self.settings
        unknown = settings.unknown_word()
        search = PieceSearch(
            own,
            outputs,
            None if unknown is None else output([unknown]),
            lambda piece: output([piece])[0],
        )
        return TextLookup(
            self._words_of,
            search.pieces,
            output,
            bool(settings.cased),
            own,
            unknown,
            self._kept,
            sigma_needs_context=not settings.cased and not settings.official,
        )

    @staticmethod
    def serves(vocabulary: Mapping[str, int]) -> TypeGuard[dict[str, int]]:
        """Whether the vocabulary is of a kind whose look-ups and changes are known."""
        return type(vocabulary) in _PLAIN_MAPPINGS

    def is_current(self, vocabulary: Mapping[str, int]) -> bool:
        """Whether the caches still hold for this vocabulary."""
        own = self._vocabulary
        if vocabulary is not own or len(own) != self._size:
            return False
        if self._small is not None:
            return _items(own) == self._small
        # A key that was added stands last, so that an exchange of keys shows there.
        first, last = self._ends
        return next(reversed(own)) is last and next(iter(own)) is first

    def __reduce__(self) -> tuple:
        """Pickle and copy as None: caches are made anew where they are needed."""
        return type(None), ()

    def pieces(self, word: str) -> list[str]:
        """Return the pieces of a word."""
        return list(self._pieces[word])

    def offsets(self, text: str) -> Offsets:
        """Return (start, end) in the text for each of `tokens`."""
        offsets: Offsets = []
        for start, end, token in self._kept.split(text):
            part = self._part_offsets(text[start:end]) if token is None else [(0, end - start)]
            offsets += _shifted(part, start)
        return offsets

    def _part_offsets(self, text: str) -> Offsets:
        """Return the offsets in a text without special tokens."""
        if not self._token_texts.goes_by_characters(text):
            return self._chunk_offsets(text)
        offsets = list(zip(range(len(text)), range(1, len(text) + 1), strict=True))
        for start, end in text_lookup.runs(text):
            run = text[start:end]
            is_key = len(run) <= text_lookup.CACHE_KEY_CHARACTERS
            of_run = self._offsets[run] if is_key else self._chunk_offsets(run)
            offsets[start:end] = _shifted(of_run, start)
        return offsets

    def _chunk_offsets(self, text: str) -> Offsets:
        offsets: Offsets = []
        start = 0
        for chunk in text.split(text_lookup.BLANK):
            offsets += _shifted(self._offsets[chunk], start)
            start += len(chunk) + 1
        return offsets

    # What the caches lack is computed here.

    def _ids_of(self, tokens: Iterable[str]) -> tuple[int, ...]:
        return tuple(map(self._id_of, tokens, repeat(self.unknown_id)))

    def _words_of(self, chunk: str) -> list[str]:
        try:
            return chunk.translate(self._table).split()
        except _NeedsContext:
            return self._space_out(chunk)[0].split()

    def _find_offsets(self, chunk: str) -> tuple[tuple[int, int], ...]:
        try:
            parts = [self._table[ord(character)] for character in chunk]
            spaced: TracedText = "".join(parts), [i for i, part in enumerate(parts) for _ in part]
        except _NeedsContext:
            spaced = self._space_out(chunk)
        offsets: Offsets = []
        for word in words_at_blanks(*spaced):
            offsets += piece_offsets(word, self._pieces[word.text], self.settings.unknown)
        return tuple(offsets)

    def _space_out(self, chunk: str) -> TracedText:
        return space_out(chunk, self.settings.cased, self.settings.official)


def _items(mapping: Mapping) -> tuple[tuple, tuple]:
    return tuple(mapping), tuple(mapping.values())


def _shifted(offsets: Iterable[tuple[int, int]], start: int) -> Iterable[tuple[int, int]]:
    return [(start + first, start + last) for first, last in offsets] if start else offsets
