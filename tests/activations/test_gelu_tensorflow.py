"""The old import path of the exact form."""

from math import erf, sqrt

import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert.activations.gelu_tensorflow import gelu
from keras_bert.backend import ops


@pytest.mark.parametrize("x", [-30.0, -1.0, 0.0, 1.0, 30.0])
def test_the_exact_form(x):
    expected = 0.5 * x * (1 + erf(x / sqrt(2)))
    found = to_numpy(gelu(ops.convert_to_tensor(np.array([x], "float32"))))
    assert found[0] == pytest.approx(expected, abs=1e-6)
