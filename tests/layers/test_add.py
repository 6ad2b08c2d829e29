import numpy as np
import pytest
from layer_checks import check_layer

from keras_bert.layers import Add

FIRST = np.arange(5) < np.array([[5], [3], [2]])
SECOND = np.arange(5) >= np.array([[0], [0], [1]])


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ([FIRST, None], FIRST),
        ([None, FIRST], FIRST),
        ([FIRST, SECOND], FIRST & SECOND),
        ([FIRST, FIRST], FIRST),
        ([None, None], None),
    ],
)
def test_masks_of_both(masks, expected, tmp_path):
    """Keras 2's rule, which Keras 3's own Add breaks when one input has no mask."""
    random = np.random.RandomState(6)
    inputs = [random.normal(size=(3, 5, 4)).astype("float32") for _ in masks]
    check_layer(
        Add,
        {},
        inputs,
        masks,
        outputs=[inputs[0] + inputs[1]],
        output_masks=[expected],
        tmp_path=tmp_path,
    )
