"""The tokenizer's hooks, one underscore each, and the ways past them while they are its own."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any

from ..arguments import describe, shorten
from . import characters
from .token_cache import Settings, TokenCache
from .vocabulary import in_other_case
from .word_pieces import greedy_pieces, place_pieces, placed_tokens
from .words import OWN_RULES, CharacterRules, Word, split_words


class MethodOfEither:
    """A method of the instance where there is one, of the class otherwise."""

    def __init__(self, function: FunctionType):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> MethodType:
        return MethodType(self._function, owner if instance is None else instance)


class TokenizerHooks:
    """From texts to tokens and ids by methods that a subclass, an instance or a patch may replace.

    The attributes are those of `Tokenizer`.
    """

    _token_dict: Mapping[str, int]
    _token_cls: str
    _token_sep: str
    _token_unk: str
    _cased: bool
    # Instances pickled by 0.89 have none of their own.
    _official: bool = False
    # Caches are made on first use, and again wherever they are missing or out of date.
    _cache: TokenCache | None = None
    # Exchanged whenever an attribute is set, and the one for which the attributes were looked at.
    _state: object = None
    _checked_state: object = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self.__dict__["_state"] = object()

    @staticmethod
    def _truncate(
        first_tokens: list[str],
        second_tokens: list[str] | None = None,
        max_len: int | None = None,
    ) -> None:
        """Shorten the lists in place until they and the special tokens have room in `max_len`."""
        if max_len is None:
            return
        specials = 2 if second_tokens is None else 3
        room = max_len - specials
        if room < 0:
            raise ValueError(
                f"`max_len` must leave room for the {specials} special tokens of "
                f"{'one text' if second_tokens is None else 'a pair of texts'}. "
                f"Received: max_len={max_len}"
            )
        if second_tokens is None:
            del first_tokens[room:]
            return
        first_length, second_length = len(first_tokens), len(second_tokens)
        if first_length + second_length <= room:
            return
        # The longer one gives first; once they are equal they give in turns, the second first.
        kept = max(room - second_length, min(first_length, (room + 1) // 2))
        del first_tokens[kept:]
        del second_tokens[room - kept :]

    def _pack(
        self, first_tokens: list[str], second_tokens: list[str] | None = None
    ) -> tuple[list[str], int, int]:
        """Add the special tokens; return the tokens and how many belong to each text."""
        packed = [self._token_cls, *first_tokens, self._token_sep]
        if second_tokens is None:
            return packed, len(packed), 0
        first_length = len(packed)
        packed += [*second_tokens, self._token_sep]
        return packed, first_length, len(packed) - first_length

    def _convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Look the tokens up, with the id of the unknown token for those that are missing."""
        look_up = self._token_dict.get
        unknown = look_up(self._token_unk)
        if unknown is None or self._lacks_ends():
            tokens = list(tokens)
            for name in ("token_cls", "token_sep"):
                special = getattr(self, "_" + name)
                if special in tokens:
                    self._special_id(name, special)
            if any(token not in self._token_dict for token in tokens):
                unknown = self._special_id("token_unk", self._token_unk)
        return list(map(look_up, tokens, repeat(unknown)))

    def _tokenize(self, text: str) -> list[str]:
        """Cut one text into tokens, without special tokens."""
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string. Received: {describe(text)}")
        cache = self._current_cache() if self._cuts_by_own_rules() else None
        if cache is not None:
            return cache.tokens(text)
        tokens: list[str] = []
        for word in self._words(text):
            tokens += [word.text] if word.is_special else self._word_piece_tokenize(word.text)
        return tokens

    def _word_piece_tokenize(self, word: str) -> list[str]:
        """Cut one word into pieces."""
        cache = self._current_cache()
        if cache is not None:
            return cache.pieces(word)
        unknown = self._token_unk if self._official else None
        return greedy_pieces(word, self._token_dict, unknown)

    _is_punctuation = staticmethod(characters.is_punctuation)
    _is_cjk_character = staticmethod(characters.is_cjk_character)
    _is_space = staticmethod(characters.is_space)
    _is_control = staticmethod(characters.is_control)

    # What the methods above share.

    def _encode(
        self, first: str, second: str | None, max_len: int | None
    ) -> tuple[list[int], int, int]:
        """Return the ids without padding and how many belong to each text."""
        cache = self._cache_of_ids()
        if cache is not None and type(first) is str and (second is None or type(second) is str):
            ids = cache.ids(first)
            second_ids = None if second is None else cache.ids(second)
            if max_len is not None:
                self._truncate(ids, second_ids, max_len)
            return _enclose(ids, second_ids, *cache.end_ids)
        first_tokens = self._tokenize_argument("first", first)
        second_tokens = None if second is None else self._tokenize_argument("second", second)
        self._truncate(first_tokens, second_tokens, max_len)
        tokens, first_length, second_length = self._pack(first_tokens, second_tokens)
        return self._convert_tokens_to_ids(tokens), first_length, second_length

    def _encode_with_places(
        self, first: str, second: str | None, max_len: int | None
    ) -> tuple[list[int], int, int, list[tuple[int, int]]]:
        """Return what `_encode` does, and each token's place in its text."""
        cache = self._cache_of_ids()
        if cache is not None and type(first) is str and (second is None or type(second) is str):
            ids, first_length, second_length = self._encode(first, second, max_len)
            places = cache.places(first)
            second_places = None if second is None else cache.places(second)
            self._truncate(places, second_places, max_len)
            places, _, _ = _enclose(places, second_places, _NOWHERE, _NOWHERE)
            return ids, first_length, second_length, places
        first_tokens = self._tokenize_with_places("first", first)
        second_tokens = None
        if second is not None:
            second_tokens = self._tokenize_with_places("second", second)
        self._truncate(first_tokens, second_tokens, max_len)
        tokens, first_length, second_length = self._pack(first_tokens, second_tokens)
        ids = self._convert_tokens_to_ids(tokens)
        places = [getattr(token, "place", _NOWHERE) for token in tokens]
        return ids, first_length, second_length, places

    def _settings(self) -> Settings:
        return Settings(
            self._cased, self._official, self._token_unk, self._token_cls, self._token_sep
        )

    def _current_cache(self) -> TokenCache | None:
        """Return caches that hold for the vocabulary as it is, None if it cannot have any."""
        cache, vocabulary, settings = self._cache, self._token_dict, self._settings()
        if cache is None or not cache.follows(settings) or not cache.is_current(vocabulary):
            if not TokenCache.serves(vocabulary):
                return None
            cache = self.__dict__["_cache"] = TokenCache(vocabulary, settings)
        return cache

    def _cache_of_ids(self) -> TokenCache | None:
        """Return caches of whole texts' ids, None where a hook or an error may have a say."""
        # What can change without an attribute being set is looked at for each text.
        if _hooks_of(type(self)) != _OWN_HOOKS:
            return None
        cache = self._cache
        if (
            cache is None
            or self._checked_state is not self._state
            or not cache.is_current(self._token_dict)
        ):
            cache = self._checked_cache_of_ids()
        return cache

    def _checked_cache_of_ids(self) -> TokenCache | None:
        state = self._state
        if not _HOOKS.isdisjoint(self.__dict__):
            return None
        cache = self._current_cache()
        if cache is None or cache.unknown_id is None or None in cache.end_ids:
            return None
        self.__dict__["_checked_state"] = state
        return cache

    def _cuts_by_own_rules(self) -> bool:
        return self._rules() == OWN_RULES and self._word_piece_tokenize == MethodType(
            _OWN_WORD_PIECE_TOKENIZE, self
        )

    def _rules(self) -> CharacterRules:
        return CharacterRules(
            self._is_punctuation, self._is_cjk_character, self._is_space, self._is_control
        )

    def _words(self, text: str) -> Iterator[Word]:
        """Split a text by the rules as they are, a subclass's own included."""
        settings = self._settings()
        specials = settings.kept_whole(self._token_dict)
        return split_words(text, settings.cased, settings.official, specials, self._rules())

    def _tokenize_argument(self, name: str, text: str) -> list[str]:
        # A `_tokenize` of one's own may take more than strings.
        if not isinstance(text, str) and self._tokenize == MethodType(_OWN_TOKENIZE, self):
            raise TypeError(f"`{name}` must be a string. Received: {describe(text)}")
        return self._tokenize(text)

    def _tokenize_with_places(self, name: str, text: str) -> list[str]:
        """Cut one text into tokens that know their places in it."""
        if not isinstance(text, str):
            raise TypeError(f"`{name}` must be a string. Received: {describe(text)}")
        if self._tokenize != MethodType(_OWN_TOKENIZE, self):
            tokens = self._tokenize(text)
            places = self.rematch(text, tokens, bool(self._cased), self._token_unk)
            return placed_tokens(tokens, places)
        cache = self._current_cache() if self._cuts_by_own_rules() else None
        if cache is not None:
            return placed_tokens(cache.tokens(text), cache.places(text))
        tokens: list[str] = []
        places: list[tuple[int, int]] = []
        for word in self._words(text):
            pieces = [word.text]
            if not word.is_special:
                pieces = self._word_piece_tokenize(word.text)
            tokens += pieces
            places += place_pieces(word, pieces, self._token_unk)
        return placed_tokens(tokens, places)

    def _lacks_ends(self) -> bool:
        return self._token_cls not in self._token_dict or self._token_sep not in self._token_dict

    def _special_id(self, name: str, token: str) -> int:
        if token not in self._token_dict:
            others = in_other_case(token, self._token_dict)
            raise ValueError(
                f"`token_dict` lacks {token!r}, which is needed here. Add it, or pass the "
                f"vocabulary's own name for it as `{name}`"
                f"{': it has ' + ', '.join(map(repr, others)) if others else ''}."
            )
        return self._token_dict[token]

    def _tokens_of(self, ids: list[int]) -> list[str]:
        if any(index not in self._token_dict_inv for index in ids):
            # Tokens may have been added since the inverse was made.
            added = {index: token for token, index in self._token_dict.items()}
            self._token_dict_inv.update(
                (index, token)
                for index, token in added.items()
                if index not in self._token_dict_inv
            )
        missing = [index for index in ids if index not in self._token_dict_inv]
        if missing:
            raise ValueError(
                f"`ids` must be ids of the vocabulary. Received: {shorten(missing)}, which it "
                "lacks."
            )
        return [self._token_dict_inv[index] for index in ids]


def _enclose(
    first: list, second: list | None, opening: Any, separator: Any
) -> tuple[list, int, int]:
    """Put what stands for the special tokens around the lists; return as `_encode` does.

    The first list is used for the result: a copy costs more than all the rest of this.
    """
    first.insert(0, opening)
    first.append(separator)
    first_length = len(first)
    if second is None:
        return first, first_length, 0
    first += second
    first.append(separator)
    return first, first_length, len(first) - first_length


# The place of tokens that come from no text.
_NOWHERE = (0, 0)

# To see whether a hook is still the class's own.
_HOOKS = frozenset(
    (
        *("_tokenize", "_word_piece_tokenize", "_truncate", "_pack", "_convert_tokens_to_ids"),
        *("_is_punctuation", "_is_cjk_character", "_is_space", "_is_control"),
    )
)
_hooks_of = attrgetter(*_HOOKS)
_OWN_HOOKS = _hooks_of(TokenizerHooks)
_OWN_TOKENIZE = TokenizerHooks._tokenize
_OWN_WORD_PIECE_TOKENIZE = TokenizerHooks._word_piece_tokenize
