"""The special tokens of BERT vocabularies."""

TOKEN_PAD = ""
"""Padding. Vocabularies made by this library use the empty token, Google's use `[PAD]`."""
TOKEN_UNK = "[UNK]"
"""Stands for whatever the vocabulary lacks."""
TOKEN_CLS = "[CLS]"
"""Opens every input; its output is the summary of the sequence."""
TOKEN_SEP = "[SEP]"
"""Closes each sentence."""
TOKEN_MASK = "[MASK]"
"""Hides the token that the masked language model has to guess."""

PADDING_TOKENS = (TOKEN_PAD, "[PAD]")
"""What vocabularies call padding: this library's own, then Google's."""
SPECIAL_TOKENS = frozenset((*PADDING_TOKENS, TOKEN_UNK, TOKEN_CLS, TOKEN_SEP, TOKEN_MASK))

_PADDING_IN_LOWER_CASE = frozenset(map(str.lower, PADDING_TOKENS))
_SPECIAL_IN_LOWER_CASE = frozenset(map(str.lower, SPECIAL_TOKENS))


def is_padding(token: str) -> bool:
    """Whether the token is padding, in capitals or not."""
    return token.lower() in _PADDING_IN_LOWER_CASE


def is_special(token: str) -> bool:
    """Whether the token is a special one, in capitals or not."""
    return token.lower() in _SPECIAL_IN_LOWER_CASE
