"""Masks of merging layers; models with each of them are in tests/saving/test_keras_2_heads.py."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert.backend import ops
from keras_bert.layers.keras_2_merging import MERGING, Keras2Concatenate, merged_mask

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has its own")


def test_inputs_without_a_mask_have_no_say():
    first, second = (ops.convert_to_tensor(each) for each in ([[True, False]], [[True, True]]))
    assert merged_mask([None, None]) is merged_mask(None) is None
    assert merged_mask([None, first, first]) is first
    assert ops.convert_to_numpy(merged_mask([first, None, second])).tolist() == [[True, False]]


@pytest.mark.parametrize("name", sorted(set(MERGING) - {"Concatenate"}))
def test_masked_positions_are_merged_as_well(name):
    first, second = np.array([[[4.0], [6.0]]]), np.array([[[2.0], [8.0]]])
    function = {"Subtract": lambda x, y: x - y, "Average": lambda x, y: (x + y) / 2}
    function |= {"Multiply": np.multiply, "Maximum": np.maximum, "Minimum": np.minimum}
    tensors = [ops.convert_to_tensor(each) for each in (first, second)]
    for each in tensors:
        each._keras_mask = ops.convert_to_tensor([[True, False]])
    found = ops.convert_to_numpy(MERGING[name]()(tensors))
    assert found.tolist() == function[name](first, second).tolist()


def test_masks_along_positions_and_without():
    features = ops.convert_to_tensor(np.ones((2, 3, 4), "float32"))
    mask = ops.convert_to_tensor([[True, True, False]] * 2)
    layer = Keras2Concatenate(axis=1)
    both = layer.compute_mask([features] * 2, [mask] * 2)
    assert ops.convert_to_numpy(both).tolist() == [[True, True, False] * 2] * 2
    assert layer.compute_mask([features] * 2, [None, None]) is None
    one = layer.compute_mask([features[..., :1], features[:, :2, :1]], [mask, None])
    assert ops.convert_to_numpy(one).tolist() == [[True, True, False, True, True]] * 2
    from_the_end = Keras2Concatenate(axis=-2).compute_mask([features] * 2, [mask] * 2)
    assert from_the_end.shape == (2, 6)
