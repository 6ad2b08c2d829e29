"""Values of tensors, where they are known."""

import numpy as np
import pytest
from runtimes import ON_TENSORFLOW, RUNTIME

from keras_bert.backend import layers, ops
from keras_bert.layers.known_values import known_values


def test_values_of_a_tensor():
    array = np.array([[1, 2]], "int32")
    np.testing.assert_array_equal(known_values(ops.convert_to_tensor(array)), array)


def test_symbols_have_none():
    assert known_values(layers.Input((3,))) is None


def values_in_a_traced_function(array):
    found = []
    if ON_TENSORFLOW:
        import tensorflow as tf

        tf.function(lambda x: found.append(known_values(x)))(tf.constant(array))
    elif RUNTIME == "jax":
        import jax

        jax.jit(lambda x: found.append(known_values(x)))(array)
    else:
        import torch

        class Module(torch.nn.Module):
            def forward(self, x):
                found.append(known_values(x))
                return x

        torch.jit.trace(Module(), torch.from_numpy(array), check_trace=False)
    return found


@pytest.mark.filterwarnings("ignore")
def test_a_traced_function_has_none():
    """Of PyTorch's tensors there, the values are those of an example."""
    found = values_in_a_traced_function(np.array([1, 2], "int32"))
    assert found == [None] * len(found) != []
