"""`encode_batch`, against `encode`."""

import numpy as np
import pytest
from runtimes import once
from tokenizer_texts import OLD, VOCABULARY, ByTheRules

from keras_bert.tokenizer import Tokenizer

pytestmark = once

TEXTS = [*OLD["texts"], "a[SEP]b [MASK]film[UNK] [CLS[PAD]", "天" * 200 + "film", "a" * 101]


@pytest.mark.parametrize("kind", [Tokenizer, ByTheRules])
@pytest.mark.parametrize("official", [False, True])
def test_batch_holds_what_encode_gives(kind, official):
    tokenizer = kind(VOCABULARY, pad_index=7, official=official)
    inputs = [text if i % 3 else (text, TEXTS[i - 1]) for i, text in enumerate(TEXTS)]
    for max_len, padding in ((None, "longest"), (9, "longest"), (9, "max_length")):
        token_ids, segment_ids, lengths = tokenizer.encode_batch(inputs, max_len, padding)
        assert {a.dtype for a in (token_ids, segment_ids, lengths)} == {np.dtype(np.int32)}
        assert token_ids.shape == segment_ids.shape
        assert token_ids.shape[1] == (max_len or lengths.max())
        for text, row, segments, length in zip(
            inputs, token_ids, segment_ids, lengths, strict=True
        ):
            pair = text if isinstance(text, tuple) else (text,)
            expected = tokenizer.encode(*pair, max_len=token_ids.shape[1])
            assert (row.tolist(), segments.tolist()) == expected
            whole = len(tokenizer.encode(*pair)[0])
            assert length == (whole if max_len is None else min(whole, max_len))


def test_batch_of_any_iterable_and_of_none():
    tokenizer = Tokenizer(VOCABULARY)
    expected = [a.tolist() for a in tokenizer.encode_batch(["film", "a b"])]
    for texts in (iter(["film", "a b"]), np.array(["film", "a b"]), ("film", "a b")):
        assert [a.tolist() for a in tokenizer.encode_batch(texts)] == expected
    assert [a.shape for a in tokenizer.encode_batch([])] == [(0, 0), (0, 0), (0,)]
    assert tokenizer.encode_batch([], max_len=5, padding="max_length")[0].shape == (0, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ("film",),
            TypeError,
            "`texts` must be texts or pairs of texts, several. Received: 'film'",
        ),
        ((5,), TypeError, "`texts` must be"),
        (({"text": ["film"]},), TypeError, "`texts` is a table: pass one of its columns"),
        ((["a", b"b"],), TypeError, "`first` must be a string. Received: b'b'"),
        ((["a", ("a", 3)],), TypeError, "`second` must be a string. Received: 3"),
        ((["a", ("a", "b", "c")],), TypeError, r"`texts\[1\]` must be a text or a pair of texts"),
        ((["a"], None, "max_length"), ValueError, "needs `max_len`"),
        ((["a"], 8, True), ValueError, '`padding` must be "longest" or "max_length"'),
        ((["a"], 8.5), TypeError, "`max_len` must be an integer"),
        ((["a"], 1), ValueError, "`max_len` must leave room"),
    ],
)
def test_batch_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        Tokenizer(VOCABULARY).encode_batch(*arguments)
