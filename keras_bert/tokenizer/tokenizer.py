"""The tokenizer: text to WordPiece tokens, their ids, and back."""

from collections.abc import Iterable, Mapping

import numpy as np

from ..arguments import as_integer, as_integers, describe, shorten
from .alignment import align_tokens
from .batch_arrays import pad_batch
from .hooks import MethodOfEither, TokenizerHooks
from .special_tokens import TOKEN_CLS, TOKEN_SEP, TOKEN_UNK


class Tokenizer(TokenizerHooks):
    """Cuts texts into the tokens of a BERT vocabulary.

    The text is split at spaces, punctuation and Chinese characters; a word that the vocabulary
    lacks is cut into the longest pieces it has, and where none fits into single characters, the
    first bare, later ones as `##c`. Without `cased` accents are stripped and then the case.

    With `official` the tokens are those of BERT's own tokenizer, in the form of Hugging Face's
    `BertWordPieceTokenizer`: a word that cannot be cut into pieces, or has more than 100
    characters, is one `token_unk`; special tokens in the text (`token_cls`, `token_sep`,
    `token_unk`, "[PAD]" and "[MASK]", where the vocabulary has them) are kept whole; private-use
    characters are dropped, and the Greek final sigma is lost with the case.

    Methods with one underscore are hooks: a subclass, an instance or a patch of the class may
    replace any of them, and every public method follows.

    Args:
        token_dict: token to id, for example from `load_vocabulary`. It is kept, not copied:
            changes show in later calls. (In a vocabulary of more than 256 tokens two are not
            noticed after the first call: a token's id exchanged for another, and a rebuilding in
            place that ends with as many tokens and the same first and last string objects.
            Assign a new dict to `_token_dict` then.)
        token_cls: token that opens the input.
        token_sep: token that closes each sentence.
        token_unk: token whose id stands for tokens that the vocabulary lacks.
        pad_index: id that fills up to `max_len`. Models take the id 0 for padding, whatever the
            vocabulary calls it.
        cased: whether to keep case and accents.
        official: whether to give exactly the tokens of BERT's own tokenizer.

    Raises:
        TypeError: if `token_dict` is not a mapping.
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
        token_ids, first_length, second_length = self._encode(first, second, max_len)
        segment_ids = [0] * first_length
        if second_length:
            segment_ids += [1] * second_length
        if max_len is not None:
            padding = max_len - first_length - second_length
            token_ids += [self._pad_index] * padding
            segment_ids += [0] * padding
        return token_ids, segment_ids

    def encode_with_offsets(
        self, first: str, second: str | None = None, max_len: int | None = None
    ) -> tuple[list[int], list[int], list[tuple[int, int]]]:
        """Encode a text or a pair of texts and say where each token stands.

        The offsets are kept through normalization and splitting, not searched for afterwards:
        `first[start:end]` is what the token was made from. Only a subclass's own `_tokenize`, or
        pieces of its own `_word_piece_tokenize` that do not spell the word, are aligned with the
        text as by `rematch`.

        Args:
            first: the text.
            second: the text that follows it, if any.
            max_len: number of ids to return, as in `encode`.

        Returns:
            Token ids and segment ids as `encode` gives them, and for each id the offsets (start,
            end) in its text, counted in characters: (0, 0) for special tokens that were added and
            for padding.

        Raises:
            TypeError: if a text is not a string or `max_len` not an integer.
            ValueError: as in `encode`.
        """
        if max_len is not None:
            max_len = as_integer("max_len", max_len)
        token_ids, first_length, second_length, offsets = self._encode_with_places(
            first, second, max_len
        )
        segment_ids = [0] * first_length + [1] * second_length
        if max_len is not None:
            padding = max_len - first_length - second_length
            token_ids += [self._pad_index] * padding
            segment_ids += [0] * padding
            offsets += [(0, 0)] * padding
        return token_ids, segment_ids, offsets

    def encode_batch(
        self,
        texts: Iterable[str | tuple[str, str]],
        max_len: int | None = None,
        padding: str = "longest",
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn texts and pairs of texts into arrays, ready for `model.predict([ids, segments])`.

        Args:
            texts: B texts or (first, second) pairs of texts.
            max_len: most ids of a text. Longer ones are cut as by `encode`.
            padding: "longest" pads to the longest text of the batch, "max_length" to `max_len`,
                so that every batch has one shape.

        Returns:
            Token ids (B, T), segment ids (B, T) and the number of ids of each text without
            padding (B,), all int32.

        Raises:
            TypeError: if `texts` is one string, or a text not a string.
            ValueError: if `padding` is unknown, or "max_length" without `max_len`; as in `encode`.
        """
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise TypeError(
                f"`texts` must be texts or pairs of texts, several. Received: {describe(texts)}"
            )
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
            pair = tuple(text) if isinstance(text, (tuple, list)) else (text, None)
            if len(pair) != 2:
                raise TypeError(
                    f"`texts[{i}]` must be a text or a pair of texts. Received: {describe(text)}"
                )
            encoded.append(self._encode(*pair, max_len))
        width = max_len if padding == "max_length" else None
        return pad_batch(encoded, width, self._pad_index)

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

    @MethodOfEither
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
