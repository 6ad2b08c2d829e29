"""Texts to words, to pieces, to ids, and back; vocabularies and their change. No Keras."""

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
    "Tokenizer",
    "VocabularyChange",
    "VocabularyError",
    "load_vocabulary",
    "save_vocabulary",
]
