"""Lengths of sequences that a layer's positions do not hold are refused."""

from types import SimpleNamespace

import pytest
from runtimes import once

from keras_bert.layers.lengths import check_length, too_long

pytestmark = once

LAYER = SimpleNamespace(name="Embedding-Position", input_dim=4)


@pytest.mark.parametrize("length", [1, 4, None, "b"])  # "b": a symbol of JAX for any length
def test_lengths_that_may_pass(length):
    assert check_length(LAYER, length) is None


def test_longer_than_the_layer_has_positions():
    message = "'Embedding-Position' holds 4 positions. Received: a sequence of length 5."
    with pytest.raises(ValueError, match=message):
        check_length(LAYER, 5)
    assert too_long(LAYER, 5).startswith(f"Layer {message}")


def test_no_positions():
    with pytest.raises(ValueError, match=r"'Embedding-Position' needs .* length 0\."):
        check_length(LAYER, 0)
