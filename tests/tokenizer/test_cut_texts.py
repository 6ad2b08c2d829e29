"""Texts that a model reads in part only."""

import pytest
from runtimes import once

from keras_bert import Tokenizer
from keras_bert.tokenizer.cut_texts import CutTexts

pytestmark = once
TOKENIZER = Tokenizer({"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "a": 3})


@pytest.mark.parametrize(
    ("texts", "limit", "told"),
    [
        ([("a a a", None), ("", None), ("a", "a")], 5, None),
        ([("a a a", None), ("a a a a", None)], 5, "1 text was longer than 5 tokens, "),
        ([("a a", "a"), ("a a a", None), ("a", "a a")], 5, "2 texts were longer than 5 tokens, "),
        ([("a a a a", None)], None, None),
    ],
)
def test_texts_that_lose_tokens_are_counted(texts, limit, told):
    cut = CutTexts(TOKENIZER, limit)
    for first, second in texts:
        cut.count(TOKENIZER._encode(first, second, limit)[0], first, second)
    message = cut.message()
    assert message is None if told is None else message.startswith(told)
