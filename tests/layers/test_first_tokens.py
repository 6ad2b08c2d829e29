import numpy as np
import pytest
from layer_checks import check_layer

from keras_bert.layers import FirstTokens

FEATURES = np.random.RandomState(2).normal(size=(3, 6, 4)).astype("float32")
MASK = np.arange(6) < np.array([6, 2, 0])[:, None]


@pytest.mark.parametrize("mask", [MASK, None])
@pytest.mark.parametrize("length", [1, 4, 9])  # 9: more than there are
def test_first_tokens_and_their_mask(length, mask, tmp_path):
    check_layer(
        FirstTokens,
        {"length": length},
        FEATURES,
        masks=[mask],
        outputs=[FEATURES[:, :length]],
        output_masks=[None if mask is None else mask[:, :length]],
        tmp_path=tmp_path,
    )


def test_no_tokens():
    with pytest.raises(ValueError, match=r"`length` must be at least 1\. Received: length=0"):
        FirstTokens(0)
