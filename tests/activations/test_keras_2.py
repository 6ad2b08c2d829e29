"""Activations as Keras 2 has them; a whole model of it is among the old files (test_old_files)."""

import numpy as np
import pytest
from runtimes import KERAS_3, to_numpy

from keras_bert import get_custom_objects
from keras_bert.activations import hard_sigmoid_keras_2
from keras_bert.backend import layers, models, ops

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has its own")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_hard_sigmoid_has_the_slope_of_a_fifth(dtype):
    numbers = ops.convert_to_tensor([-3.0, -2.5, -1.0, 0.0, 2.0, 2.5, 4.0], dtype)
    found = hard_sigmoid_keras_2(numbers)
    assert found.dtype == numbers.dtype
    np.testing.assert_allclose(to_numpy(found), [0, 0, 0.3, 0.5, 0.9, 1, 1], atol=2e-3)  # bfloat16


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_of_keras_3_keep_it_and_keras_own(tmp_path, suffix):
    inputs = layers.Input((3, 2))
    features = layers.LSTM(4, recurrent_activation=hard_sigmoid_keras_2)(inputs)
    outputs = layers.Dense(2, activation="hard_sigmoid")(features)
    model = models.Model(inputs, outputs)
    model.save(tmp_path / f"model{suffix}")
    again = models.load_model(tmp_path / f"model{suffix}", custom_objects=get_custom_objects())
    numbers = np.random.RandomState(0).normal(scale=3, size=(2, 3, 2)).astype("float32")
    np.testing.assert_array_equal(again.predict(numbers), model.predict(numbers))
    assert again.layers[1].recurrent_activation is hard_sigmoid_keras_2
    assert again.layers[2].activation.__name__ == "hard_sigmoid"
