"""The tokenizer's hooks, one underscore each, and the ways past them while they are its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from operator import attrgetter
from types import MethodType
from typing import Any

from ..arguments import describe
from . import characters
from .alignment import Offsets
from .text_rules import USUAL_RULES, TextRules
from .token_cache import Settings, TokenCache
from .vocabulary import in_other_case
from .word_pieces import TokenWithOffsets, greedy_pieces, piece_offsets
from .words import OWN_RULES, CharacterRules, Word, split_words


class TokenizerHooks:
    """From texts to tokens and ids by methods that a subclass, an instance or a patch may replace.

    The attributes are those of `Tokenizer`.
    """

    _token_dict: Mapping[str, int]
    _token_cls: str
    _token_sep: str
    _token_unk: str
    _cased: bool
    # Instances pickled by 0.89 have none of their own of these.
    _official: bool = False
    _text_rules: TextRules = USUAL_RULES  # with `official`
    rematch: Any
    _cache: TokenCache | None = None  # made when it is missing or out of date
    # `_version` is replaced whenever an attribute is set; `_checked_version` is that of the last
    # check of the hooks.
    _version: object = object()  # which no check has seen, in old pickles too
    _checked_version: object = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self.__dict__["_version"] = object()

    @staticmethod
    def _truncate(
        first_tokens: list[Any], second_tokens: list[Any] | None = None, max_len: int | None = None
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
        return _enclose(list(first_tokens), second_tokens, self._token_cls, self._token_sep)

    def _convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Look the tokens up, with the id of the unknown token for those that are missing."""
        known = self._token_dict
        unknown = known.get(self._token_unk)
        if unknown is None or self._token_cls not in known or self._token_sep not in known:
            tokens = list(tokens)
            for name in ("token_cls", "token_sep"):
                special = getattr(self, "_" + name)
                if special in tokens:
                    self._special_id(name, special)
            if any(token not in known for token in tokens):
                unknown = self._special_id("token_unk", self._token_unk)
        id_of: Callable[..., int] = known.get
        return list(map(id_of, tokens, repeat(unknown)))

    def _tokenize(self, text: str) -> list[str]:
        """Split one text into tokens, without special tokens."""
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string. Received: {describe(text)}")
        cache = self._cache_of_rules()
        if cache is not None:
            return cache.tokens(text)
        return [piece for _, pieces in self._words_and_pieces(text) for piece in pieces]

    def _word_piece_tokenize(self, word: str) -> list[str]:
        """Split one word into pieces."""
        cache = self._current_cache()
        if cache is not None:
            return cache.pieces(word)
        return greedy_pieces(word, self._token_dict, self._settings().unknown_word())

    _is_punctuation = staticmethod(characters.is_punctuation)
    _is_cjk_character = staticmethod(characters.is_cjk_character)
    _is_space = staticmethod(characters.is_space)
    _is_control = staticmethod(characters.is_control)

    # What the methods above and those of `Tokenizer` share.

    def _encode(
        self, first: str, second: str | None, max_len: int | None
    ) -> tuple[list[int], int, int]:
        """Return the ids without padding and how many belong to each text."""
        cache = self._cache_for(first, second)
        if cache is None:
            return self._encode_by_hooks(self._tokenize_argument, first, second, max_len)[0]
        ids = cache.ids(first)
        second_ids = None if second is None else cache.ids(second)
        if max_len is not None:
            self._shorten(ids, second_ids, max_len)
        return _enclose(ids, second_ids, *cache.end_ids)

    def _encode_with_offsets(
        self, first: str, second: str | None, max_len: int | None
    ) -> tuple[tuple[list[int], int, int], Offsets]:
        """Return what `_encode` does, and each token's offsets in its text."""
        cache = self._cache_for(first, second)
        if cache is None:
            tokenize = self._tokenize_with_offsets
            encoded, tokens = self._encode_by_hooks(tokenize, first, second, max_len)
            return encoded, [getattr(token, "offsets", _NO_TEXT) for token in tokens]
        first_offsets = cache.offsets(first)
        second_offsets = None if second is None else cache.offsets(second)
        self._shorten(first_offsets, second_offsets, max_len)
        offsets, _, _ = _enclose(first_offsets, second_offsets, _NO_TEXT, _NO_TEXT)
        return self._encode(first, second, max_len), offsets

    def _encode_by_hooks(
        self, tokenize: Callable[..., list], first: str, second: str | None, max_len: int | None
    ) -> tuple[tuple[list[int], int, int], list[str]]:
        """Return what `_encode` does, and the tokens."""
        first_tokens = tokenize("first", first)
        second_tokens = None if second is None else tokenize("second", second)
        self._shorten(first_tokens, second_tokens, max_len)
        tokens, first_length, second_length = self._pack(first_tokens, second_tokens)
        return (self._convert_tokens_to_ids(tokens), first_length, second_length), tokens

    def _shorten(self, first: list, second: list | None, max_len: int | None) -> None:
        """Do what `_truncate` does, at the side from which the model's folder wants texts cut."""
        if not self._text_rules.cuts_start:
            self._truncate(first, second, max_len)
            return
        lists = [each for each in (first, second) if each is not None]
        for each in lists:
            each.reverse()
        self._truncate(first, second, max_len)
        for each in lists:
            each.reverse()

    def _tokenize_argument(self, name: str, text: str) -> list[str]:
        # A `_tokenize` of one's own may take more than strings.
        if not isinstance(text, str) and self._has_own_tokenize():
            raise TypeError(f"`{name}` must be a string. Received: {describe(text)}")
        return self._tokenize(text)

    def _tokenize_with_offsets(self, name: str, text: str) -> list[str]:
        """Split one text into tokens that know their offsets in it."""
        if not isinstance(text, str):
            raise TypeError(f"`{name}` must be a string. Received: {describe(text)}")
        if not self._has_own_tokenize():
            tokens = self._tokenize(text)
            offsets = self.rematch(text, tokens, bool(self._cased), self._token_unk)
        else:
            tokens, offsets = self._tokens_and_offsets(text)
        return list(map(TokenWithOffsets, tokens, offsets))

    def _tokens_and_offsets(self, text: str) -> tuple[list[str], Offsets]:
        """Return what the class's own `_tokenize` does, and each token's offsets in the text."""
        cache = self._cache_of_rules()
        if cache is not None:
            return cache.tokens(text), cache.offsets(text)
        tokens: list[str] = []
        offsets: Offsets = []
        for word, pieces in self._words_and_pieces(text):
            tokens += pieces
            offsets += piece_offsets(word, pieces, self._token_unk)
        return tokens, offsets

    def _words_and_pieces(self, text: str) -> Iterator[tuple[Word, list[str]]]:
        """Split a text by the rules as they are, a subclass's own included."""
        settings = self._settings()
        kept = settings.kept_whole(self._token_dict)
        for word in split_words(
            *(text, settings.cased, settings.official, kept, self._rules()),
            self._text_rules.keep_accents,
        ):
            yield word, [word.text] if word.is_special else self._word_piece_tokenize(word.text)

    def _settings(self) -> Settings:
        specials = self._token_unk, self._token_cls, self._token_sep
        return Settings(self._cased, self._official, *specials, self._text_rules.added)

    def _rules(self) -> CharacterRules:
        is_cjk = self._is_cjk_character if self._text_rules.chinese_words else _is_no_word
        return CharacterRules(self._is_punctuation, is_cjk, self._is_space, self._is_control)

    def _has_own_tokenize(self) -> bool:
        return self._tokenize == MethodType(_OWN_TOKENIZE, self)

    def _cache_of_rules(self) -> TokenCache | None:
        """Return caches of texts' tokens, None where a hook has a say in the rules."""
        own_pieces = MethodType(_OWN_WORD_PIECE_TOKENIZE, self)
        if self._rules() != OWN_RULES or self._word_piece_tokenize != own_pieces:
            return None
        if self._text_rules.keep_accents not in (None, self._cased):
            return None
        return self._current_cache()

    def _current_cache(self) -> TokenCache | None:
        """Return caches that hold for the vocabulary as it is, None if it cannot have any."""
        cache, vocabulary, settings = self._cache, self._token_dict, self._settings()
        if cache is None or cache.settings != settings or not cache.is_current(vocabulary):
            if not TokenCache.serves(vocabulary):
                return None
            cache = self.__dict__["_cache"] = TokenCache(vocabulary, settings)
        return cache

    def _cache_for(self, first: str, second: str | None) -> TokenCache | None:
        """Return caches of whole texts' ids, None where a hook or an error may have a say."""
        if type(first) is not str or not (second is None or type(second) is str):
            return None
        # What can change without an attribute being set is looked at for each text.
        if _hooks_of(type(self)) != _OWN_HOOKS:
            return None
        cache, version = self._cache, self._version
        if (
            cache is None
            or self._checked_version is not version
            or not cache.is_current(self._token_dict)
        ):
            cache = self._cache_of_rules() if _HOOKS.isdisjoint(self.__dict__) else None
            if cache is None or cache.unknown_id is None or None in cache.end_ids:
                return None
            self.__dict__["_checked_version"] = version
        return cache

    def _special_id(self, name: str, token: str) -> int:
        if token not in self._token_dict:
            others = in_other_case(token, self._token_dict)
            raise ValueError(
                f"`token_dict` lacks {token!r}, which is needed here. Add it, or pass the "
                f"vocabulary's own name for it as `{name}`"
                f"{': it has ' + ', '.join(map(repr, others)) if others else ''}."
            )
        return self._token_dict[token]


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


def _is_no_word(character: str) -> bool:
    """The answer about Chinese characters where they are no words."""
    return False


_NO_TEXT = (0, 0)  # the offsets of tokens that come from none

# To see whether a hook is still the class's own.
_OF_TEXTS = ("_tokenize", "_word_piece_tokenize", "_truncate", "_pack", "_convert_tokens_to_ids")
_HOOKS = frozenset((*_OF_TEXTS, *(f"_{rule}" for rule in CharacterRules._fields)))
_hooks_of = attrgetter(*_HOOKS)
_OWN_HOOKS = _hooks_of(TokenizerHooks)
_OWN_TOKENIZE = TokenizerHooks._tokenize
_OWN_WORD_PIECE_TOKENIZE = TokenizerHooks._word_piece_tokenize
