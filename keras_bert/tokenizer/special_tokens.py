"""The special tokens of BERT vocabularies."""

TOKEN_PAD = ""  # padding in vocabularies made by this library; Google's use "[PAD]"
TOKEN_UNK = "[UNK]"  # stands for whatever the vocabulary lacks
TOKEN_CLS = "[CLS]"  # opens every input; its output is the summary of the sequence
TOKEN_SEP = "[SEP]"  # closes each sentence
TOKEN_MASK = "[MASK]"  # hides the token that the masked language model has to guess

# ALBERT's SentencePiece vocabularies have these two instead of "[PAD]" and "[UNK]".
PIECE_PAD = "<pad>"
PIECE_UNK = "<unk>"
PIECE_SPECIAL_TOKENS = (PIECE_PAD, PIECE_UNK, TOKEN_CLS, TOKEN_SEP, TOKEN_MASK)

PADDING_TOKENS = (TOKEN_PAD, "[PAD]")
SPECIAL_TOKENS = frozenset((*PADDING_TOKENS, TOKEN_UNK, TOKEN_CLS, TOKEN_SEP, TOKEN_MASK))


def is_padding(token: str) -> bool:
    """Whether the token is padding, in capitals or not."""
    return token.lower() in map(str.lower, PADDING_TOKENS)


def is_special(token: str) -> bool:
    """Whether the token is a special one, in capitals or not."""
    return token.lower() in map(str.lower, SPECIAL_TOKENS)
