"""The old import path of the tanh form."""

from math import pi, sqrt, tanh

import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert.activations.gelu_fallback import gelu
from keras_bert.backend import ops


@pytest.mark.parametrize("x", [-30.0, -1.0, 0.0, 1.0, 30.0])
def test_the_tanh_form(x):
    expected = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    found = to_numpy(gelu(ops.convert_to_tensor(np.array([x], "float32"))))
    assert found[0] == pytest.approx(expected, abs=1e-6)
