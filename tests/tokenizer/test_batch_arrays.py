"""Arrays of encoded texts, against rows padded by hand."""

import numpy as np
import pytest
from runtimes import once

from keras_bert.tokenizer.batch_arrays import pad_batch

pytestmark = once

ENCODED = [([2, 5, 3], 3, 0), ([2, 3, 6, 7, 3], 2, 3), ([], 0, 0), ([2, 3, 3], 2, 1)]


@pytest.mark.parametrize("pad_index", [0, 9])
@pytest.mark.parametrize("width", [None, 5, 7])
def test_rows_are_filled_up(width, pad_index):
    token_ids, segment_ids, lengths = pad_batch(ENCODED, width, pad_index)
    assert {each.dtype for each in (token_ids, segment_ids, lengths)} == {np.dtype("int32")}
    assert lengths.tolist() == [3, 5, 0, 3]
    columns = width or 5
    assert token_ids.tolist() == [ids + [pad_index] * (columns - len(ids)) for ids, _, _ in ENCODED]
    assert segment_ids.tolist() == [
        [0] * first + [1] * second + [0] * (columns - first - second)
        for _, first, second in ENCODED
    ]


def test_no_texts():
    assert [each.shape for each in pad_batch([], None, 0)] == [(0, 0), (0, 0), (0,)]
    assert [each.shape for each in pad_batch([], 4, 0)] == [(0, 4), (0, 4), (0,)]


def test_no_text_exceeds_the_width():
    with pytest.raises(ValueError, match="cannot assign"):
        pad_batch(ENCODED, 4, 0)
