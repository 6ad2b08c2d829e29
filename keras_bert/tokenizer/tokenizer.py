"""The tokenizer: text to WordPiece tokens, their ids, and back."""

from collections.abc import Callable, Iterable, Mapping
from types import MethodType
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

import numpy as np

from ..arguments import as_integer, as_integers, check_is_no_table, describe, shorten
from .alignment import align_tokens
from .batch_arrays import pad_batch
from .hooks import TokenizerHooks
from .special_tokens import TOKEN_CLS, TOKEN_SEP, TOKEN_UNK

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class ClassOrInstanceMethod(Generic[_Arguments, _Result]):
    """A method of the instance where there is one, of the class otherwise."""

    def __init__(self, function: Callable[Concatenate[Any, _Arguments], _Result]):
        self._function = function
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__  # where doctest looks for it

    def __get__(self, instance: object, owner: type) -> Callable[_Arguments, _Result]:
        return MethodType(self._function, owner if instance is None else instance)


class Tokenizer(TokenizerHooks):
    """Splits texts into the tokens of a BERT vocabulary.

    The text is split at spaces, punctuation and Chinese characters. A word that the vocabulary
    lacks is split into the longest pieces it has, and where none fits into single characters, the
    first bare, later ones as `##c`.

    With `official` the tokens are those of BERT's own tokenizer, in the form of Hugging Face's
    `BertWordPieceTokenizer`: a word that cannot be split into pieces, or has more than 100
    characters, is one `token_unk`; special tokens in the text are kept whole, where the vocabulary
    has them; private-use characters are dropped, and the Greek final sigma is lost with the case.
    Where Hugging Face's tokens differ from those of Google's code, they are as there: each of the
    Chinese characters U+2B820 to U+2B91F is a word, and marks, punctuation and format characters
    are those of this Python's Unicode, which is newer (the mark U+0AFB is dropped, for one).

    Methods with one underscore are hooks: a subclass, an instance or a patch of the class may
    replace any of them, and every public method follows.

    Args:
        token_dict: Token to id, as from `load_vocabulary`. It is kept, not copied: changes show in
            later calls. (In a vocabulary of more than 256 tokens two are not noticed: another id
            for a token, and a rebuilding in place that ends with as many tokens and the same first
            and last string objects. Assign a new dict to `_token_dict` then.)
        token_cls: Token that opens the input.
        token_sep: Token that closes each sentence.
        token_unk: Token whose id stands for tokens that the vocabulary lacks.
        pad_index: Id that fills up to `max_len`. Models take the id 0 for padding.
        cased: Whether to keep case and accents.
        official: Whether to give exactly the tokens of BERT's own tokenizer.

    Raises:
        TypeError: If `token_dict` is not a mapping.

    Example:
        >>> from keras_bert import PretrainedList, Tokenizer, load_vocabulary
        >>> tokenizer = Tokenizer(load_vocabulary(f"{PretrainedList.tiny}/vocab.txt"))
        >>> ids, segments = tokenizer.encode("Naïve plans!", max_len=8)
        >>> ids
        [101, 15743, 3488, 999, 102, 0, 0, 0]
        >>> tokenizer.decode(ids)
        ['naive', 'plans', '!']
    """

    def __init__(
        self,
        token_dict: Mapping[str, int],
        token_cls: str = TOKEN_CLS,
        token_sep: str = TOKEN_SEP,
        token_unk: str = TOKEN_UNK,
        pad_index: int = 0,
        cased: bool = False,
        *,
        official: bool = False,
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
        self._official = official

    def tokenize(self, first: str, second: str | None = None) -> list[str]:
        """Split a text or a pair of texts into tokens, special tokens included.

        Args:
            first: The text.
            second: The text that follows it, if any.

        Returns:
            `[CLS]`, tokens of first, `[SEP]`, and with `second` its tokens and `[SEP]`.

        Raises:
            TypeError: If a text is not a string.

        Example:
            >>> tokenizer = Tokenizer({"[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "un": 4, "##able": 5})
            >>> tokenizer.tokenize("unable", "un")
            ['[CLS]', 'un', '##able', '[SEP]', 'un', '[SEP]']
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
            first: The text.
            second: The text that follows it, if any.
            max_len: Number of ids to return. Longer inputs lose tokens from the end of the longer
                text (of the second, when both are equally long), shorter ones are padded.

        Returns:
            Token ids, padded with `pad_index`, and segment ids: 1 for the second text, else 0.

        Raises:
            TypeError: If a text is not a string or `max_len` not an integer.
            ValueError: If `max_len` leaves no room for the special tokens, or the vocabulary lacks
                one that is needed.

        Example:
            >>> tokenizer = Tokenizer({"[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "un": 4, "##able": 5})
            >>> tokenizer.encode("unable", "un", max_len=8)
            ([1, 4, 5, 2, 4, 2, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0])
        """
        if max_len is not None:
            max_len = as_integer("max_len", max_len)
        token_ids, first_length, second_length = self._encode(first, second, max_len)
        segment_ids = [0] * first_length
        if second_length:
            segment_ids += [1] * second_length
        if max_len is not None:
            padding = max_len - len(segment_ids)
            token_ids += [self._pad_index] * padding
            segment_ids += [0] * padding
        return token_ids, segment_ids

    def encode_with_offsets(
        self, first: str, second: str | None = None, max_len: int | None = None
    ) -> tuple[list[int], list[int], list[tuple[int, int]]]:
        """Encode a text or a pair of texts and tell which part of it each token comes from.

        `first[start:end]` is what the token was made from. Only the tokens of a subclass's own
        `_tokenize`, or pieces of its own `_word_piece_tokenize` that do not spell the word, are
        searched for afterwards, as by `rematch`.

        Args:
            first: The text.
            second: The text that follows it, if any.
            max_len: Number of ids to return, as in `encode`.

        Returns:
            Token ids and segment ids as `encode` gives them, and for each id (start, end) in its
            text, in characters: (0, 0) for special tokens that were added and for padding.

        Raises:
            TypeError, ValueError: As in `encode`.

        Example:
            >>> tokenizer = Tokenizer({"[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "un": 4, "##able": 5})
            >>> ids, segments, offsets = tokenizer.encode_with_offsets("un Unable")
            >>> ids, offsets
            ([1, 4, 4, 5, 2], [(0, 0), (0, 2), (3, 5), (5, 9), (0, 0)])
        """
        if max_len is not None:
            max_len = as_integer("max_len", max_len)
        encoded, offsets = self._encode_with_offsets(first, second, max_len)
        token_ids, first_length, second_length = encoded
        segment_ids = [0] * first_length + [1] * second_length
        if max_len is not None:
            padding = max_len - len(segment_ids)
            token_ids += [self._pad_index] * padding
            segment_ids += [0] * padding
            offsets += [(0, 0)] * padding
        return token_ids, segment_ids, offsets

    def encode_batch(
        self,
        texts: Iterable[str | tuple[str, str]],
        max_len: int | None = None,
        padding: Literal["longest", "max_length"] = "longest",
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn texts and pairs of texts into arrays, ready for `model.predict([ids, segments])`.

        Args:
            texts: B texts or (first, second) pairs of texts.
            max_len: The most ids of a text. Longer ones are cut as by `encode`.
            padding: "longest" pads to the longest text of the batch, "max_length" to `max_len`.

        Returns:
            Token ids (B, T), segment ids (B, T) and lengths without padding (B,), all int32.

        Raises:
            TypeError: If `texts` is one string or a table, or a text not a string.
            ValueError: If `padding` is unknown, or "max_length" without `max_len`; as in `encode`.

        Example:
            >>> tokenizer = Tokenizer({"[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "un": 4, "##able": 5})
            >>> ids, segments, lengths = tokenizer.encode_batch(["unable", ("un", "un")])
            >>> ids
            array([[1, 4, 5, 2, 0],
                   [1, 4, 2, 4, 2]], dtype=int32)
            >>> segments.tolist(), lengths.tolist()
            ([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1]], [4, 5])
        """
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise TypeError(
                f"`texts` must be texts or pairs of texts, several. Received: {describe(texts)}"
            )
        check_is_no_table("`texts`", texts)
        if padding not in ("longest", "max_length"):
            raise ValueError(
                f'`padding` must be "longest" or "max_length". Received: {describe(padding)}'
            )
        if max_len is not None:
            max_len = as_integer("max_len", max_len)
        elif padding == "max_length":
            raise ValueError('`padding="max_length"` needs `max_len`. Received: max_len=None')
        encoded = []
        for i, text in enumerate(texts):
            pair = text if isinstance(text, (tuple, list)) else (text, None)
            if len(pair) != 2:
                raise TypeError(
                    f"`texts[{i}]` must be a text or a pair of texts. Received: {describe(text)}"
                )
            first, second = pair
            encoded.append(self._encode(first, second, max_len))
        width = max_len if padding == "max_length" else None
        return pad_batch(encoded, width, self._pad_index)

    def decode(self, ids: Iterable[int]) -> list[str] | tuple[list[str], list[str]]:
        """Turn the ids of `encode` back into tokens, without special tokens and padding.

        The first text ends at the first `[SEP]`, the second at the first `pad_index` after it:
        up to there `pad_index` may be the id of `[CLS]` or of any other token.

        Args:
            ids: Ids of one input, as a list or a one-dimensional array.

        Returns:
            The tokens of the first text or, for a pair, those of the first and of the second.

        Raises:
            TypeError: If the ids are not a sequence of integers.
            ValueError: If `[SEP]` is not among the ids or an id not in the vocabulary.

        Example:
            >>> tokenizer = Tokenizer({"[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "un": 4, "##able": 5})
            >>> tokenizer.decode([1, 4, 5, 2, 0, 0])
            ['un', '##able']
            >>> tokenizer.decode([1, 4, 5, 2, 4, 2, 0, 0])
            (['un', '##able'], ['un'])
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

    def _tokens_of(self, ids: list[int]) -> list[str]:
        known = self._token_dict_inv
        if any(index not in known for index in ids):
            # Tokens may have been added since the inverse was made.
            now = {index: token for token, index in self._token_dict.items()}
            known.update({**now, **known})
        missing = [index for index in ids if index not in known]
        if missing:
            raise ValueError(
                f"`ids` must be ids of the vocabulary. Received: {shorten(missing)}, which it "
                "lacks."
            )
        return [known[index] for index in ids]

    @ClassOrInstanceMethod
    def rematch(
        self, text: str, tokens: Iterable[str], cased: bool = False, unknown_token: str = TOKEN_UNK
    ) -> list[tuple[int, int]]:
        """Find the offsets of tokens in the text they come from, by their edit distance.

        Works for tokens of any tokenizer, and for wrong ones too. Can be called on the class.

        Args:
            text: The original text.
            tokens: Its tokens, without `[CLS]` and `[SEP]`.
            cased: Whether the tokens have kept their case.
            unknown_token: The token that stands for anything.

        Returns:
            (start, end) in the text for each token.

        Raises:
            TypeError: If the text or a token is not a string.

        Example:
            >>> Tokenizer.rematch("All rights reserved.", ["all", "rights", "[UNK]", "."])
            [(0, 3), (4, 10), (11, 19), (19, 20)]
        """
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string. Received: {describe(text)}")
        listed = list(tokens) if isinstance(tokens, Iterable) else [tokens]
        if isinstance(tokens, str) or not all(isinstance(token, str) for token in listed):
            raise TypeError(f"`tokens` must be a list of strings. Received: {describe(tokens)}")
        return align_tokens(text, listed, cased, unknown_token, self._is_space)
