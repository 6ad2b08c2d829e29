"""The attention of both stacks against NumPy: masks, history, and queries of their own."""

import traceback

import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert.backend import ops
from keras_bert.layers import MultiHeadAttention
from keras_bert.layers.scaled_attention import query_key_value

# The small package says so whenever a kernel_initializer is shared, as its default is.
pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded")

B, T, S, UNITS, HEADS = 3, 7, 5, 12, 3
RANDOM = np.random.RandomState(0)
QUERY, KEY, VALUE = (RANDOM.normal(size=(B, size, UNITS)).astype("float32") for size in (T, S, S))
MASK = np.arange(S) < np.array([[S], [2], [1]])


@pytest.fixture(params=[False, True], ids=["whole", "history"])
def layer(request):
    layer = MultiHeadAttention(HEADS, None, history_only=request.param)
    layer.build([(None, None, UNITS)] * 3)
    layer.set_weights([RANDOM.normal(0, 0.4, each.shape) for each in layer.get_weights()])
    return layer


def expected(layer, query, key, value, mask):
    """Features (B, T, D) and probabilities (B, H, T, S), in float64."""
    wq, bq, wk, bk, wv, bv, wo, bo = layer.get_weights()

    def heads(features, kernel, bias):
        return (features @ kernel + bias).reshape(*features.shape[:2], HEADS, -1)

    queries, keys, values = heads(query, wq, bq), heads(key, wk, bk), heads(value, wv, bv)
    scores = np.einsum("bthd,bshd->bhts", queries, keys) / np.sqrt(UNITS / HEADS)
    if mask is not None:
        scores = scores - 10000.0 * ~mask[:, None, None, :]
    if layer.history_only:
        later = np.arange(key.shape[1]) > np.arange(query.shape[1])[:, None]
        scores = scores - 10000.0 * later
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    attended = np.einsum("bhts,bshd->bthd", shares, values).reshape(*query.shape[:2], UNITS)
    return attended @ wo + bo, shares


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("inputs", [(KEY,) * 3, (QUERY, KEY, VALUE), (QUERY, KEY, KEY)])
def test_features_and_probabilities(layer, inputs, masked):
    same = all(each is inputs[0] for each in inputs)
    tensors = list(map(ops.convert_to_tensor, inputs))
    mask = ops.convert_to_tensor(MASK) if masked else None
    given = [None, mask, None] if masked and not same else mask
    arguments = {"inputs": tensors[0] if same else tensors, "mask": given}
    features, shares = expected(layer, *inputs, MASK if masked else None)
    found = layer.call(**arguments)
    np.testing.assert_allclose(to_numpy(found), features, atol=1e-4)
    np.testing.assert_allclose(to_numpy(layer.attention_map(**arguments)), shares, atol=1e-5)


def test_one_argument_stands_for_three():
    assert query_key_value("features") == ("features",) * 3
    assert query_key_value(["query", "key", "value"]) == ("query", "key", "value")
    assert query_key_value([2, 5, 8], single=True) == ([2, 5, 8],) * 3
    assert query_key_value(None) == (None, None, None)


def test_what_took_the_place_of_the_attribute_attention():
    layer = MultiHeadAttention(2, name="Encoder-1-MultiHeadSelfAttention")
    for name in ("attention", "intensity"):
        assert not hasattr(layer, name)
        with pytest.raises(AttributeError, match=r"Layer 'Encoder-1.*get_attention_maps\(model"):
            getattr(layer, name)
        with pytest.raises(AttributeError) as error:
            getattr(layer, name)
        shown = traceback.format_exception_only(error.value)
        assert shown[-1].endswith("get_attention_maps(model, inputs) returns.\n")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        layer.nothing  # noqa: B018
