"""One vector per text, over the ids that are not 0."""

import numpy as np
import pytest
from layer_checks import MASK_LAYERS, check_layer
from runtimes import once, to_numpy

from keras_bert.backend import ops, utils
from keras_bert.extraction.pooling import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    TextPooling,
    check_poolings,
)

FEATURES = np.random.RandomState(0).normal(size=(4, 6, 3)).astype("float32")
# Full, padded, with the id 0 in front and in between, one token.
IDS = np.array(
    [[2, 5, 6, 7, 8, 3], [2, 5, 3, 0, 0, 0], [0, 5, 0, 6, 3, 0], [7, 0, 0, 0, 0, 0]], "int32"
)


def by_hand(pooling):
    kept = [features[ids != 0] for features, ids in zip(FEATURES, IDS, strict=True)]
    return {
        POOL_NSP: FEATURES[:, 0],
        POOL_MAX: np.stack([rows.max(axis=0) for rows in kept]),
        POOL_AVE: np.stack([rows.mean(axis=0) for rows in kept]),
    }[pooling]


@pytest.mark.parametrize(
    "poolings", [[POOL_NSP], [POOL_MAX], [POOL_AVE], [POOL_AVE, POOL_NSP, POOL_MAX, POOL_AVE]]
)
def test_vectors(poolings, tmp_path):
    with utils.custom_object_scope({"TextPooling": TextPooling, **MASK_LAYERS}):
        check_layer(
            TextPooling,
            {"poolings": poolings},
            [FEATURES, IDS],
            masks=[IDS != 0, None],
            outputs=[np.concatenate(list(map(by_hand, poolings)), axis=-1)],
            output_masks=[None],
            any_length=False,  # the shape of a shorter text's vector is the same
            tmp_path=tmp_path,
        )


def test_ids_are_not_rounded():
    """As they would be if they were cast to 16 bits, in which 2⁻³⁰ and more vanish."""
    layer = TextPooling([POOL_AVE], dtype="float32")
    features = ops.convert_to_tensor(np.ones((1, 2, 3), "float32"))
    assert to_numpy(layer([features, ops.convert_to_tensor([[1, 30521]])])).tolist() == [[1.0] * 3]


@once
@pytest.mark.parametrize(
    ("poolings", "listed"),
    [
        (None, None),
        (POOL_MAX, [POOL_MAX]),
        ([POOL_MAX, POOL_NSP], [POOL_MAX, POOL_NSP]),
        ((POOL_AVE,), [POOL_AVE]),
    ],
)
def test_poolings_as_a_list(poolings, listed):
    assert check_poolings(poolings) == listed


@once
@pytest.mark.parametrize("poolings", ["POOL_MIN", [], ["POOL_MAX", "MAX"], 3, [None]])
def test_unknown_poolings(poolings):
    with pytest.raises(ValueError, match=r"must be one of POOL_NSP, POOL_MAX, POOL_AVE"):
        check_poolings(poolings)
