"""Parts of tensors; whole models with them are in tests/saving/test_keras_2_heads.py."""

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert.backend import ops
from keras_bert.layers.keras_2_slice import Keras2Slice

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has its own")


def test_a_part_of_a_tensor():
    numbers = np.arange(24.0).reshape(2, 3, 4)
    part = Keras2Slice([{"start": None, "stop": None, "step": None}, -1])
    again = Keras2Slice.from_config(part.get_config())
    assert ops.convert_to_numpy(again(numbers)).tolist() == numbers[:, -1].tolist()
