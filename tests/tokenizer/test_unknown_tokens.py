"""Texts of which a vocabulary knows little."""

import pytest
from runtimes import once

from keras_bert import Tokenizer
from keras_bert.tokenizer.unknown_tokens import UnknownTokens

pytestmark = once
TOKENS = {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "a": 3}


@pytest.mark.parametrize(
    ("texts", "warns"),
    [
        ([], False),
        ([""], False),
        (["a b"], False),
        (["a a b b b"], True),
        (["b b", "a a a"], False),
        (["b b"], False),
    ],
)
def test_more_than_half_of_the_tokens_are_unknown(texts, warns):
    tokenizer = Tokenizer(TOKENS)
    unknown = UnknownTokens(tokenizer)
    for text in texts:
        unknown.count(tokenizer.encode(text)[0])
    assert (unknown.message() is not None) == warns


def test_a_vocabulary_without_an_unknown_token():
    unknown = UnknownTokens(Tokenizer({"[CLS]": 0, "[SEP]": 1}))
    unknown.count([0, 1])
    assert unknown.message() is None
