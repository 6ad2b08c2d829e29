"""The tokenizer of English ALBERT: text to the pieces of a SentencePiece model, and back."""

import os
import re
import unicodedata
from collections.abc import Iterable
from types import MethodType
from typing import Any

from ..arguments import describe
from .alignment import CONTINUATION, Offsets
from .kept_tokens import NO_TOKENS, KeptToken, KeptTokens
from .piece_model import ends_as_number, pieces_of, read_piece_model
from .special_tokens import PIECE_SPECIAL_TOKENS, PIECE_UNK, TOKEN_CLS, TOKEN_SEP
from .tokenizer import ClassOrInstanceMethod, Tokenizer
from .vocabulary import SPACE, VocabularyError

# A run of blanks, a pair of quotes or any other character: what is normalized as a whole.
_UNIT = re.compile(r"\s+|``|''|.", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CAPITAL_SIGMA, _SMALL_SIGMA = "\u03a3", "\u03c3"  # at the end of a word, too


class SentencePieceTokenizer(Tokenizer):
    """Splits texts into the pieces of a SentencePiece vocabulary, as English ALBERT models need.

    It has the methods of `Tokenizer`. Runs of blanks become one blank, pairs of backquotes or of
    apostrophes become a quotation mark, accents are removed (NFKD without combining marks), and
    the text is put in lower case. The SentencePiece model splits the result, and a piece such as
    `9,` is split once more, at the comma. The offsets of the piece for a blank alone are empty.

    The pieces are those of Google's code for ALBERT, with the quotation marks of Hugging Face's.
    With `official` they are those of `AlbertTokenizer` in transformers 4, in Python: special tokens
    in the text are kept whole, and the Greek final sigma is lost with the case. Hugging Face's
    tokenizers in Rust take other characters for blanks and marks, may choose another of several
    equally probable splits, and in transformers 5 leave `9,` whole. From a `.model` alone,
    transformers 5 also makes a tokenizer that starts a word behind every user-defined piece, such
    as `(` and `-`. `load_tokenizer` does so, with `official`, where a `tokenizer.json` or
    `tokenizer_config.json` in the folder names these pieces as added tokens.

    `_tokenize`, `_truncate`, `_pack` and `_convert_tokens_to_ids` can be overridden as in
    `Tokenizer`. The hooks about words and characters have no effect.

    Args:
        vocab_path: Path of a SentencePiece model (`spiece.model`, `30k-clean.model`), or of a
            `tokenizer.json` of the type Unigram, which gives the pieces of the model that it was
            made from.
        token_cls: Piece that opens the input.
        token_sep: Piece that closes each sentence.
        token_unk: Piece whose id stands for what the vocabulary lacks.
        pad_index: Id that fills up to `max_len`, of a control symbol such as `<pad>`.
        cased: Whether to keep case. None for what a `tokenizer.json` says; a `.model` says nothing,
            and case is lost.
        keep_accents: Whether to keep accents; None likewise.
        official: Whether special tokens in the text are kept whole.

    Raises:
        ImportError: If the package `sentencepiece` is missing.
        VocabularyError: (A ValueError.) If the file is damaged or of another kind, lacks one of the
            special tokens, or normalizes texts otherwise than ALBERT.
        OSError: If the file cannot be read.

    Example:
        >>> tokenizer = SentencePieceTokenizer("tests/data/sentencepiece/spiece.model")
        >>> tokenizer.tokenize("A ``fine'' film, 1999")
        ['[CLS]', '▁a', '▁', '"', 'f', 'ine', '"', '▁film', ',', '▁1999', '[SEP]']
    """

    def __init__(
        self,
        vocab_path: str | os.PathLike[str],
        token_cls: str = TOKEN_CLS,
        token_sep: str = TOKEN_SEP,
        token_unk: str = PIECE_UNK,
        pad_index: int = 0,
        cased: bool | None = None,
        *,
        keep_accents: bool | None = None,
        official: bool = False,
    ):
        model = read_piece_model(vocab_path)
        path = os.fspath(vocab_path)
        pieces = pieces_of(model.processor, path)
        missing = [token for token in (token_cls, token_sep, token_unk) if token not in pieces]
        if missing:
            raise VocabularyError(
                f"{path} lacks {', '.join(map(repr, missing))}: it is not ALBERT's, or names its "
                "special tokens otherwise (`token_cls`, `token_sep`, `token_unk`)."
            )
        if not 0 <= pad_index < len(pieces) or not model.processor.is_control(pad_index):
            raise VocabularyError(
                f"{path} must have a control symbol such as '<pad>' as the id for padding. "
                f"Received: pad_index={pad_index}"
            )
        if cased is None:
            cased = bool(model.cased)
        super().__init__(
            pieces, token_cls, token_sep, token_unk, pad_index, cased, official=official
        )
        self._path = path
        self._keep_accents = bool(model.keep_accents if keep_accents is None else keep_accents)
        self._processor = model.processor

    @ClassOrInstanceMethod
    def rematch(
        self, text: str, tokens: Iterable[str], cased: bool = False, unknown_token: str = PIECE_UNK
    ) -> Offsets:
        """Find the offsets of pieces in the text they come from, as `Tokenizer.rematch` does."""
        listed = list(tokens) if isinstance(tokens, Iterable) else [tokens]
        if not isinstance(tokens, str) and all(isinstance(token, str) for token in listed):
            tokens = [
                token if token == unknown_token else _as_word_piece(token) for token in listed
            ]
        return super().rematch(text, tokens, cased, unknown_token)

    def _tokenize(self, text: str) -> list[str]:
        """Split one text into pieces, without special tokens."""
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string. Received: {describe(text)}")
        found: list[str] = []
        for start, end, token in self._kept_whole().split(text):
            part = text[start:end]
            found += self._pieces(self._normalized(part)) if token is None else [token]
        return found

    def _tokens_and_offsets(self, text: str) -> tuple[list[str], Offsets]:
        tokens: list[str] = []
        offsets: Offsets = []
        for start, end, token in self._kept_whole().split(text):
            if token is None:
                found, spans = self._pieces_and_spans(text[start:end])
            else:
                found, spans = [token], [(0, end - start)]
            tokens += found
            offsets += [(start + first, start + last) for first, last in spans]
        return tokens, offsets

    def _pieces_and_spans(self, text: str) -> tuple[list[str], Offsets]:
        normalized = self._normalized(text)
        pieces = self._pieces(normalized)
        spans = self._spans(pieces, normalized)
        if spans is None:  # a model whose changes, made twice, differ
            return pieces, self.rematch(text, pieces, bool(self._cased))
        origins = self._origins(text, normalized)
        return pieces, [_covered(origins, *span) for span in spans]

    def _has_own_tokenize(self) -> bool:
        return self._tokenize == MethodType(_OWN_TOKENIZE, self)

    def _kept_whole(self) -> KeptTokens:
        """Return what finds the special tokens that are kept whole in a text."""
        if not self._official:
            return NO_TOKENS
        specials = (*PIECE_SPECIAL_TOKENS, self._token_unk, self._token_cls, self._token_sep)
        kept = [KeptToken(token) for token in specials if token in self._token_dict]
        return KeptTokens([*kept, *self._text_rules.added], bool(self._cased))

    def _normalized(self, text: str) -> str:
        """What ALBERT does to a text before SentencePiece."""
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        if self._official and not self._cased:
            text = text.replace(_CAPITAL_SIGMA, _SMALL_SIGMA)
        text = " ".join(text.split()).replace("``", '"').replace("''", '"')
        if not self._keep_accents:
            text = _without_accents(text)
        return text if self._cased else text.lower()

    def _origins(self, text: str, normalized: str) -> Offsets:
        """Return where each character of the normalized text comes from: (start, end)."""
        begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if text.isascii() and len(normalized) == end - begin:  # nothing was collapsed
            return list(zip(range(begin, end), range(begin + 1, end + 1), strict=True))
        origins: Offsets = []
        for unit in _UNIT.finditer(text, begin, end):
            known = unit[0].isascii() or unit[0].isspace()
            origins += [unit.span()] * (1 if known else len(self._normalized(unit[0])))
        return origins

    def _pieces(self, text: str) -> list[str]:
        """Split a normalized text."""
        pieces = self._processed("encode", text, out_type=str)
        if not any(map(ends_as_number, pieces)):
            return pieces
        return [part for piece in pieces for part in self._divided(piece)]

    def _divided(self, piece: str) -> list[str]:
        """Divide a piece such as "9," at the comma, and what is before it anew."""
        if not ends_as_number(piece):
            return [piece]
        parts = self._processed("encode", piece[:-1].replace(SPACE, ""), out_type=str)
        if piece[0] != SPACE and parts and parts[0][0] == SPACE:
            parts[:1] = [parts[0][1:]] if len(parts[0]) > 1 else []
        return [*parts, ","]

    def _spans(self, pieces: list[str], text: str) -> Offsets | None:
        """Return the offsets of pieces in the normalized text, without blanks.

        SentencePiece changes the text once more and tells where each character of the result comes
        from. The pieces spell the result; None if they do not.
        """
        changed, borders = self._processed("normalize", text, with_offsets=True)
        if "".join(pieces) != changed:
            return None
        spans = []
        end = 0
        for piece in pieces:
            start = end + len(piece) - len(piece.lstrip(SPACE))
            end += len(piece)
            # Of several characters made from one, only the last ends behind it.
            last = max(borders[end - 1] + 1, borders[end]) if start < end else borders[start]
            spans.append((borders[start], last))
        return spans

    def _processed(self, method: str, text: str, **options: Any) -> Any:
        try:
            return getattr(self._processor, method)(text, **options)
        except (RuntimeError, UnicodeDecodeError) as error:
            raise VocabularyError(f"{self._path} is damaged: {error}") from None


_OWN_TOKENIZE = SentencePieceTokenizer._tokenize


def _covered(origins: Offsets, start: int, end: int) -> tuple[int, int]:
    """Return where a span of characters comes from, or where it would stand if it has none."""
    if start < end:
        return origins[start][0], origins[end - 1][1]
    if start < len(origins):
        return (origins[start][0],) * 2
    return (origins[-1][1],) * 2 if origins else (0, 0)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _as_word_piece(piece: str) -> str:
    """Write a piece as WordPiece does, for the search of tokens in a text."""
    if piece.startswith(SPACE):
        return piece[1:]
    return CONTINUATION + piece
