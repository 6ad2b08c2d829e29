"""What users call poolings."""

import pytest
from runtimes import once

from keras_bert.extraction.pooling import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    POOL_SENTENCE,
    check_poolings,
)


@once
@pytest.mark.parametrize(
    ("poolings", "listed"),
    [
        (None, None),
        (POOL_MAX, [POOL_MAX]),
        ([POOL_MAX, POOL_NSP], [POOL_MAX, POOL_NSP]),
        ((POOL_AVE,), [POOL_AVE]),
        (POOL_SENTENCE, [POOL_SENTENCE]),
        ([POOL_SENTENCE], [POOL_SENTENCE]),
    ],
)
def test_poolings_as_a_list(poolings, listed):
    assert check_poolings(poolings) == listed


@once
@pytest.mark.parametrize(
    "poolings", ["POOL_MIN", [], ["POOL_MAX", "MAX"], 3, [None], [POOL_SENTENCE, POOL_AVE]]
)
def test_unknown_poolings(poolings):
    with pytest.raises(ValueError, match=r"must be one of POOL_NSP, POOL_MAX, POOL_AVE"):
        check_poolings(poolings)
