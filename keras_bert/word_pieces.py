"""Text to words and words to WordPiece tokens: the rules, and a cached way through them.

`split_words` and `greedy_pieces` are the rules, a character and a piece at a time.
`CachedWordPieces` gives the same tokens several times faster. It rests on three facts:

- Every rule but two looks at one character alone, so that one table for `str.translate` replaces
  normalization, accents, case, punctuation and spaces. The two are the final form of the Greek
  sigma and the reordering of combining marks that are kept; texts with such characters go through
  `split_words`.
- A blank always ends a word and is no context for its neighbours, so the tokens of a text are
  those of its blank-separated chunks, and chunks repeat.
- Words repeat still more.
"""

import unicodedata
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from itertools import chain

from keras_bert.characters import (
    NULL,
    REPLACEMENT_CHARACTER,
    is_cjk_character,
    is_control,
    is_punctuation,
    is_space,
)

CharacterRule = Callable[[str], bool]

# Bounds of the caches: entries, and characters of a key. A full cache starts again from nothing,
# which costs less than any bookkeeping about what was used last.
CACHE_ENTRIES = 1 << 16
CACHE_KEY_CHARACTERS = 32
# Vocabularies up to this size are compared key by key on each call.
_SMALL_VOCABULARY = 256
# Mappings known to have dict's own look-up and key order.
_PLAIN_MAPPINGS = frozenset((dict, OrderedDict, defaultdict, Counter))

_CAPITAL_SIGMA = "\u03a3"


def normalize(text: str, cased: bool) -> str:
    """Strip accents, then lower the case; a cased tokenizer leaves the text as it is."""
    if cased:
        return text
    decomposed = unicodedata.normalize("NFD", text)
    # The whole text is lowered at once: the Greek sigma has a form for the end of a word.
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn").lower()


def space_out(
    text: str,
    is_punctuation: CharacterRule = is_punctuation,
    is_cjk_character: CharacterRule = is_cjk_character,
    is_space: CharacterRule = is_space,
    is_control: CharacterRule = is_control,
) -> str:
    """Put blanks around punctuation and Chinese characters and drop control characters.

    The rules are asked about each character in the order of the arguments until one says yes.
    """
    spaced = []
    for character in text:
        if is_punctuation(character) or is_cjk_character(character):
            spaced.append(f" {character} ")
        elif is_space(character):
            spaced.append(" ")
        elif character not in (NULL, REPLACEMENT_CHARACTER) and not is_control(character):
            spaced.append(character)
    return "".join(spaced)


def greedy_pieces(word: str, vocabulary: Mapping[str, int], longest: int) -> list[str]:
    """Cut a word into the longest pieces of the vocabulary, from left to right.

    Where no piece begins, one character is a piece of its own, known or not, and the cutting goes
    on behind it.

    Args:
        word: the word.
        vocabulary: holds the pieces; those that continue a word begin with `##`.
        longest: characters of the longest token of the vocabulary, or more.

    Returns:
        The pieces: `[""]` for an empty word that is in the vocabulary, `[]` for one that is not.
    """
    if word in vocabulary:
        return [word]
    pieces = []
    start, end = 0, len(word)
    prefix = ""
    while start < end:
        for stop in range(min(end, start + longest), start, -1):
            piece = prefix + word[start:stop]
            if piece in vocabulary:
                break
        else:
            stop = start + 1
            piece = prefix + word[start:stop]
        pieces.append(piece)
        start = stop
        prefix = "##"
    return pieces


class _NeedsContext(Exception):
    """A character whose replacement depends on its neighbours."""


class _CharacterTable(dict):
    """Code point to what the rules make of that character: a lazy table for `str.translate`."""

    def __init__(self, cased: bool):
        super().__init__()
        self._cased = cased

    def __missing__(self, code_point: int) -> str:
        text = chr(code_point)
        if not self._cased:
            text = unicodedata.normalize("NFD", text)
            kept = [c for c in text if unicodedata.category(c) != "Mn"]
            if _CAPITAL_SIGMA in kept or any(map(unicodedata.combining, kept)):
                # Not a LookupError: `translate` takes that for "keep the character".
                raise _NeedsContext
            text = "".join(kept).lower()
        replacement = space_out(text)
        if len(self) < CACHE_ENTRIES:
            self[code_point] = replacement
        return replacement


# Shared by all tokenizers: they depend on nothing but the case.
_TABLES = {cased: _CharacterTable(cased) for cased in (False, True)}


class _Pieces(dict):
    """Word to its pieces, each of them the vocabulary's own string object if it is in there.

    The look-up of ids that follows is then a comparison of addresses, not of characters.
    """

    def __init__(self, tokens: list[str]):
        super().__init__()
        self._tokens = dict(zip(tokens, tokens, strict=True))
        self._longest = max((len(token) for token in tokens if isinstance(token, str)), default=0)

    def __missing__(self, word: str) -> tuple[str, ...]:
        own = self._tokens.get
        pieces = tuple(own(p, p) for p in greedy_pieces(word, self._tokens, self._longest))
        if len(word) <= CACHE_KEY_CHARACTERS:
            if len(self) >= CACHE_ENTRIES:
                self.clear()
            self[word] = pieces
        return pieces


class _Chunks(dict):
    """Chunk of text without blanks to its tokens."""

    def __init__(self, cased: bool, pieces: _Pieces):
        super().__init__()
        self._cased = cased
        self._pieces = pieces

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        tokens = tuple(chain.from_iterable(map(self._pieces.__getitem__, self.words(chunk))))
        if len(chunk) <= CACHE_KEY_CHARACTERS:
            if len(self) >= CACHE_ENTRIES:
                self.clear()
            self[chunk] = tokens
        return tokens

    def words(self, text: str) -> list[str]:
        try:
            return text.translate(_TABLES[self._cased]).split()
        except _NeedsContext:
            return space_out(normalize(text, self._cased)).split()


class CachedWordPieces:
    """The tokens that the rules give for a text, by way of caches.

    The vocabulary may change under it; whoever uses it asks `is_current` first. That notices
    every change of a vocabulary of up to 256 tokens. In a larger one it notices each key added or
    removed, but not a rebuilding in place that ends with as many tokens and the same first and
    last string objects as before.

    Safe in threads: entries are only ever added or all dropped, and never change.

    Args:
        vocabulary: token to id.
        cased: whether to keep case and accents.
    """

    def __init__(self, vocabulary: Mapping[str, int], cased: bool):
        tokens = list(vocabulary)
        self._vocabulary = vocabulary
        self._cased = bool(cased)
        self._size = len(tokens)
        self._ends = (tokens[0], tokens[-1]) if tokens else ()
        self._small = tuple(tokens) if self._size <= _SMALL_VOCABULARY else None
        self._pieces = _Pieces(tokens)
        self._chunks = _Chunks(self._cased, self._pieces)

    @staticmethod
    def serves(vocabulary: Mapping[str, int]) -> bool:
        """Whether the vocabulary is of a kind whose look-ups and changes are known."""
        return type(vocabulary) in _PLAIN_MAPPINGS

    def is_current(self, vocabulary: Mapping[str, int], cased: bool) -> bool:
        """Whether the caches still hold for this vocabulary and case."""
        if (
            vocabulary is not self._vocabulary
            or bool(cased) is not self._cased
            or len(vocabulary) != self._size
        ):
            return False
        if self._small is not None:
            return tuple(vocabulary) == self._small
        first, last = self._ends
        # A key that was added stands last, so that an exchange of keys shows there.
        return next(iter(vocabulary)) is first and next(reversed(vocabulary)) is last

    def __reduce__(self) -> tuple:
        """Pickle and copy as None: caches are made anew where they are needed."""
        return type(None), ()

    def split(self, text: str) -> list[str]:
        """Return the words of a text."""
        return self._chunks.words(text)

    def pieces(self, word: str) -> list[str]:
        """Return the pieces of a word."""
        return list(self._pieces[word])

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of all the words of a text."""
        return list(chain.from_iterable(map(self._chunks.__getitem__, text.split(" "))))
