"""The special tokens, which have one list that all rooms use."""

import pytest
from runtimes import once

from keras_bert.tokenizer import special_tokens
from keras_bert.tokenizer.special_tokens import SPECIAL_TOKENS, is_padding, is_special

pytestmark = once


def test_the_tokens_are_those_of_official_vocabularies_and_of_the_old_library():
    names = ("TOKEN_PAD", "TOKEN_UNK", "TOKEN_CLS", "TOKEN_SEP", "TOKEN_MASK")
    tokens = [getattr(special_tokens, name) for name in names]
    assert tokens == ["", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert {*tokens, "[PAD]"} == SPECIAL_TOKENS


@pytest.mark.parametrize(
    ("token", "special", "padding"),
    [
        *((token, True, True) for token in ("", "[PAD]", "[pad]")),
        *((token, True, False) for token in ("[UNK]", "[unk]", "[MASK]", "[Mask]", "[cls]")),
        *((token, False, False) for token in (" ", "PAD", "[unused1]", "##[PAD]", "<pad>", "a")),
    ],
)
def test_capitals_do_not_matter(token, special, padding):
    assert (is_special(token), is_padding(token)) == (special, padding)
