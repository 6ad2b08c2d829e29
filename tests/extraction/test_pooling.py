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


@once
@pytest.mark.parametrize(
    ("poolings", "nearest"),
    [
        ("ave", POOL_AVE),
        ("AVE", POOL_AVE),
        ("avg", POOL_AVE),
        ("average", POOL_AVE),
        ("mean", POOL_AVE),
        ("POOL_MEAN", POOL_AVE),
        ("max", POOL_MAX),
        ("cls", POOL_NSP),
        ([POOL_NSP, "MAX"], POOL_MAX),
        ("sentence", POOL_SENTENCE),
        ("POOL_MIN", None),
        ("", None),
        ([POOL_SENTENCE, POOL_AVE], None),
        ([None], None),
    ],
)
def test_the_nearest_pooling_is_named(poolings, nearest):
    with pytest.raises(ValueError, match="Unknown pooling method") as caught:
        check_poolings(poolings)
    assert str(caught.value).endswith(f". Is {nearest} meant?" if nearest else ").")
