import numpy as np
import pytest
from layer_checks import check_layer
from runtimes import ON_TENSORFLOW, RUNTIME, compiled, to_numpy

from keras_bert.backend import backend, layers, models, ops
from keras_bert.layers import ExtractMasked

FEATURES = np.random.RandomState(2).normal(size=(4, 7, 3)).astype("float32")
# 3 marks, none, one on padding, one at each end.
IDS = np.array([[0, 1, 0, 1, 1, 0, 0], [0] * 7, [0, 1, 0, 0, 0, 1, 0], [2, 0, 0, 0, 0, 0, 1]])
MASK = np.arange(7) < np.array([7, 7, 4, 7])[:, None]


def expected(count, mask):
    """Row by row: the features at the marked positions, then zeros."""
    picked, in_use = np.zeros((4, count, 3), "float32"), np.zeros((4, count), "int32")
    for row, positions in enumerate((IDS != 0) & mask):
        (positions,) = np.nonzero(positions)
        picked[row, : len(positions)], in_use[row, : len(positions)] = FEATURES[row, positions], 1
    return picked, in_use


@pytest.mark.sampled(3)
@pytest.mark.parametrize("count", [3, 4, 9])  # just enough, more, and more than there are positions
@pytest.mark.parametrize("mask", [MASK, None])
def test_marked_positions_move_to_the_front(count, mask, tmp_path):
    check_layer(
        ExtractMasked,
        {"max_predictions": count},
        [FEATURES, IDS.astype("int32")],
        masks=[mask, None],
        outputs=expected(count, True if mask is None else mask),
        output_masks=[None, None],
        output_dtypes=["compute", "int32"],
        tmp_path=tmp_path,
    )


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_whatever_type_numbers_have_by_default(floatx):
    """By which Keras chooses the type of integers, too."""
    before = backend.floatx()
    backend.set_floatx(floatx)
    try:
        fed = [ops.convert_to_tensor(each) for each in (FEATURES, IDS.astype("int32"))]
        picked, in_use = ExtractMasked(3, dtype="float32")(fed)
    finally:
        backend.set_floatx(before)
    for found, want in zip((picked, in_use), expected(3, True), strict=True):
        np.testing.assert_array_equal(to_numpy(found), want)


@pytest.mark.parametrize("count", [0, -1])
def test_no_slots(count):
    with pytest.raises(ValueError, match=f"must be at least 1. Received: max_predictions={count}"):
        ExtractMasked(count)


def test_more_marks_than_slots():
    inputs = [ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(IDS)]
    layer = ExtractMasked(2, name="MLM-Extract")
    with pytest.raises(ValueError, match=r"'MLM-Extract' has 2 slots for .* a row with 3 marks"):
        layer(inputs)


@pytest.mark.skipif(RUNTIME == "torch", reason="Keras compiles nothing on PyTorch")
def test_more_marks_than_slots_in_a_compiled_function():
    shapes = [layers.Input((None, 3)), layers.Input((None,), dtype="int32")]
    model = models.Model(shapes, ExtractMasked(2)(shapes))
    picked, in_use = compiled(model)([FEATURES, IDS.astype("int32")])
    # The row with three marks is NaN; the others are what they are with room enough.
    assert np.isnan(to_numpy(picked)[0]).all()
    np.testing.assert_array_equal(to_numpy(picked)[1:], expected(3, True)[0][1:, :2])
    np.testing.assert_array_equal(to_numpy(in_use)[1:], expected(3, True)[1][1:, :2])
    if ON_TENSORFLOW:
        assert np.isnan(model.predict([FEATURES, IDS], verbose=0)[0][0]).all()
