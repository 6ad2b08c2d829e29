"""Texts to words, to pieces, to ids, and back; vocabularies and their change. No Keras."""

from .loading import load_tokenizer
from .sentence_pieces import SentencePieceTokenizer
from .special_tokens import TOKEN_CLS, TOKEN_MASK, TOKEN_PAD, TOKEN_SEP, TOKEN_UNK
from .tokenizer import Tokenizer
from .vocabulary import VocabularyError, load_vocabulary, save_vocabulary
from .vocabulary_change import VocabularyChange

__all__ = [
    "TOKEN_CLS",
    "TOKEN_MASK",
    "TOKEN_PAD",
    "TOKEN_SEP",
    "TOKEN_UNK",
    "SentencePieceTokenizer",
    "Tokenizer",
    "VocabularyChange",
    "VocabularyError",
    "load_tokenizer",
    "load_vocabulary",
    "save_vocabulary",
]
