"""Predictions by an encoder's layers, one after the other, are those of `predict_on_batch`."""

import numpy as np
import pytest
from runtimes import RUNTIME

pytestmark = [
    pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's way"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method"),
]


def test_an_encoder(usual_model, check_predictor):
    check_predictor(usual_model, asks_keras=False)


def test_where_keras_does_more_than_call_layers(unusual_model, check_predictor):
    check_predictor(unusual_model, asks_keras=True)


def test_other_models(foreign_model, check_predictor):
    check_predictor(foreign_model, asks_keras=True)


@pytest.mark.parametrize("name", [None, "Encoder-2-FeedForward"])
def test_hooks_of_pytorch_are_called(name, encoder, check_predictor):
    module = encoder.get_layer(name) if name else encoder
    hook = module.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    check_predictor(encoder, asks_keras=True)
    hook.remove()
    check_predictor(encoder, asks_keras=False)


@pytest.mark.parametrize("name", ["call", "predict_on_batch"])
def test_a_patched_model(name, encoder, arrays, predictor):
    original = getattr(encoder, name)
    setattr(encoder, name, lambda *args, **kwargs: 2 * original(*args, **kwargs))
    expected = np.asarray(encoder.predict_on_batch(arrays))
    predict = predictor(encoder)
    np.testing.assert_array_equal(predict.fetch([predict.call(arrays)])[0], expected)


def test_weights_are_those_of_the_moment(encoder, arrays, predictor):
    predict = predictor(encoder).call
    before = predict(arrays)
    norm = encoder.get_layer("Encoder-2-FeedForward-Norm")
    norm.set_weights([2 * weight for weight in norm.get_weights()])
    np.testing.assert_allclose(predict(arrays), 2 * before, rtol=1e-6)


def test_one_thread_calls_it(encoder, predictor):
    assert predictor(encoder).threads == 1


def test_results_are_arrays_of_float32(usual_model, arrays, predictor):
    predict = predictor(usual_model)
    (result,) = predict.fetch([predict.call(arrays)])
    assert type(result) is np.ndarray
    assert result.dtype == "float32"
