"""The tokenizer: text to WordPiece tokens, their ids, and back."""

from collections.abc import Iterable, Mapping
from itertools import repeat
from types import FunctionType, MethodType
from typing import Any

from keras_bert import characters
from keras_bert.alignment import align_tokens
from keras_bert.arguments import as_integer, as_integers, describe, shorten
from keras_bert.tokens import TOKEN_CLS, TOKEN_SEP, TOKEN_UNK
from keras_bert.word_pieces import CachedWordPieces, greedy_pieces, normalize, space_out


class _MethodOfEither:
    """A method of the instance where there is one, of the class otherwise."""

    def __init__(self, function: FunctionType):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> MethodType:
        return MethodType(self._function, owner if instance is None else instance)


class Tokenizer:
    """Cuts texts into the tokens of a BERT vocabulary.

    The text is split at spaces, punctuation and Chinese characters; a word that the vocabulary
    lacks is cut into the longest pieces it has, and where none fits into single characters, the
    first bare, later ones as `##c`. Without `cased` accents are stripped and then the case.

    Methods with one underscore are hooks: a subclass, an instance or a patch of the class may
    replace any of them, and every public method follows.

    Args:
        token_dict: token to id, for example from `load_vocabulary`. It is kept, not copied:
            changes show in later calls. (Not noticed is only a vocabulary of more than 256 tokens
            rebuilt in place that ends with as many tokens and the same first and last string
            objects; assign a new dict to `_token_dict` then.)
        token_cls: token that opens the input.
        token_sep: token that closes each sentence.
        token_unk: token whose id stands for tokens that the vocabulary lacks.
        pad_index: id that fills up to `max_len`.
        cased: whether to keep case and accents.

    Raises:
        TypeError: if `token_dict` is not a mapping.
    """

    # Caches are made on first use, and again wherever they are missing or out of date.
    _cached_word_pieces: CachedWordPieces | None = None

    def __init__(
        self,
        token_dict: Mapping[str, int],
        token_cls: str = TOKEN_CLS,
        token_sep: str = TOKEN_SEP,
        token_unk: str = TOKEN_UNK,
        pad_index: int = 0,
        cased: bool = False,
    ):
        if not isinstance(token_dict, Mapping):
            raise TypeError(
                "`token_dict` must map tokens to ids (`load_vocabulary(path)` reads one from a "
                f"file). Received: {describe(token_dict)}"
            )
        self._token_dict = token_dict
        self._token_dict_inv = {index: token for token, index in token_dict.items()}
        self._token_cls = token_cls
        self._token_sep = token_sep
        self._token_unk = token_unk
        self._pad_index = pad_index
        self._cased = cased

    def tokenize(self, first: str, second: str | None = None) -> list[str]:
        """Cut a text or a pair of texts into tokens, special tokens included.

        Args:
            first: the text.
            second: the text that follows it, if any.

        Returns:
            `[CLS]`, tokens of first, `[SEP]`, and with `second` its tokens and `[SEP]`.

        Raises:
            TypeError: if a text is not a string.
        """
        first_tokens = self._tokenize_argument("first", first)
        second_tokens = None if second is None else self._tokenize_argument("second", second)
        tokens, _, _ = self._pack(first_tokens, second_tokens)
        return tokens

    def encode(
        self, first: str, second: str | None = None, max_len: int | None = None
    ) -> tuple[list[int], list[int]]:
        """Turn a text or a pair of texts into what the model takes.

        Args:
            first: the text.
            second: the text that follows it, if any.
            max_len: number of ids to return. Longer inputs lose tokens from the end of the longer
                text (of the second, when both are equally long), shorter ones are padded.

        Returns:
            Token ids, padded with `pad_index`, and segment ids: 0 for the first text with its
            special tokens and for padding, 1 for the second.

        Raises:
            TypeError: if a text is not a string or `max_len` not an integer.
            ValueError: if `max_len` leaves no room for the special tokens, or the vocabulary lacks
                a special token that is needed.
        """
        if max_len is not None:
            max_len = as_integer("max_len", max_len)
        first_tokens = self._tokenize_argument("first", first)
        second_tokens = None if second is None else self._tokenize_argument("second", second)
        self._truncate(first_tokens, second_tokens, max_len)
        tokens, first_length, second_length = self._pack(first_tokens, second_tokens)
        token_ids = self._convert_tokens_to_ids(tokens)
        segment_ids = [0] * first_length + [1] * second_length
        if max_len is not None:
            padding = max_len - first_length - second_length
            token_ids += [self._pad_index] * padding
            segment_ids += [0] * padding
        return token_ids, segment_ids

    def decode(self, ids: Iterable[int]) -> list[str] | tuple[list[str], list[str]]:
        """Turn the ids of `encode` back into tokens, without special tokens and padding.

        The first text ends at the first `[SEP]`, the second at the first `pad_index` after it:
        up to there `pad_index` may be the id of `[CLS]` or of any other token.

        Args:
            ids: ids of one input, as a list or a one-dimensional array.

        Returns:
            The tokens of the first text or, for a pair, those of the first and of the second.

        Raises:
            TypeError: if the ids are not a sequence of integers.
            ValueError: if `[SEP]` is not among the ids or an id not in the vocabulary.
        """
        ids = as_integers("ids", ids)
        separator = self._special_id("token_sep", self._token_sep)
        if separator not in ids:
            raise ValueError(
                f"`ids` must hold the id of {self._token_sep!r}, {separator}, as the ids of "
                f"`encode` do. Received: {shorten(ids)}"
            )
        first_end = ids.index(separator)
        second_end = len(ids)
        if self._pad_index in ids[first_end + 1 :]:
            second_end = ids.index(self._pad_index, first_end + 1)
        first = self._tokens_of(ids[1:first_end])
        if second_end == first_end + 1:
            return first
        return first, self._tokens_of(ids[first_end + 1 : second_end - 1])

    @_MethodOfEither
    def rematch(
        self, text: str, tokens: list[str], cased: bool = False, unknown_token: str = TOKEN_UNK
    ) -> list[tuple[int, int]]:
        """Find the places of tokens in the text they come from, by their edit distance.

        Works for tokens of any tokenizer, and for wrong ones too. Can be called on the class.

        Args:
            text: the original text.
            tokens: its tokens, without `[CLS]` and `[SEP]`.
            cased: whether the tokens have kept their case.
            unknown_token: the token that stands for anything.

        Returns:
            (start, end) in the text for each token.

        Raises:
            TypeError: if the text or a token is not a string.
        """
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string. Received: {describe(text)}")
        listed = list(tokens) if isinstance(tokens, Iterable) else [tokens]
        if isinstance(tokens, str) or not all(isinstance(token, str) for token in listed):
            raise TypeError(f"`tokens` must be a list of strings. Received: {describe(tokens)}")
        return align_tokens(text, listed, cased, unknown_token, self._is_space)

    # Hooks.

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
        rules = (self._is_punctuation, self._is_cjk_character, self._is_space, self._is_control)
        cached = self._current_cache() if rules == _OWN_RULES else None
        if cached is None:
            words = space_out(normalize(text, self._cased), *rules).split()
        elif self._word_piece_tokenize == MethodType(_OWN_WORD_PIECE_TOKENIZE, self):
            return cached.tokens(text)
        else:
            words = cached.split(text)
        tokens: list[str] = []
        for word in words:
            tokens += self._word_piece_tokenize(word)
        return tokens

    def _word_piece_tokenize(self, word: str) -> list[str]:
        """Cut one word into pieces."""
        cached = self._current_cache()
        if cached is not None:
            return cached.pieces(word)
        return greedy_pieces(word, self._token_dict, longest=len(word))

    _is_punctuation = staticmethod(characters.is_punctuation)
    _is_cjk_character = staticmethod(characters.is_cjk_character)
    _is_space = staticmethod(characters.is_space)
    _is_control = staticmethod(characters.is_control)

    # What the methods above share.

    def _current_cache(self) -> CachedWordPieces | None:
        """Return caches that hold for the vocabulary as it is, None if it cannot have any."""
        cached, vocabulary, cased = self._cached_word_pieces, self._token_dict, self._cased
        if cached is None or not cached.is_current(vocabulary, cased):
            if not CachedWordPieces.serves(vocabulary):
                return None
            cached = self._cached_word_pieces = CachedWordPieces(vocabulary, cased)
        return cached

    def _tokenize_argument(self, name: str, text: str) -> list[str]:
        # A `_tokenize` of one's own may take more than strings.
        if not isinstance(text, str) and self._tokenize == MethodType(_OWN_TOKENIZE, self):
            raise TypeError(f"`{name}` must be a string. Received: {describe(text)}")
        return self._tokenize(text)

    def _lacks_ends(self) -> bool:
        return self._token_cls not in self._token_dict or self._token_sep not in self._token_dict

    def _special_id(self, name: str, token: str) -> int:
        if token not in self._token_dict:
            raise ValueError(
                f"`token_dict` lacks {token!r}, which is needed here. Add it, or pass the "
                f"vocabulary's own name for it as `{name}`."
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


# To see whether a hook is still the class's own.
_OWN_RULES = (
    characters.is_punctuation,
    characters.is_cjk_character,
    characters.is_space,
    characters.is_control,
)
_OWN_TOKENIZE = Tokenizer._tokenize
_OWN_WORD_PIECE_TOKENIZE = Tokenizer._word_piece_tokenize
