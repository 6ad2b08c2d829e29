"""Predictions by an encoder's layers, one after the other, are those of `predict_on_batch`."""

from threading import Thread

import numpy as np
import pytest
from runtimes import RUNTIME

from keras_bert.extraction.batching import map_in_threads

torch = pytest.importorskip("torch")
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


@pytest.fixture
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_cores")
def test_two_threads_call_it_unless_others_would_compute_otherwise(encoder, predictor):
    predict = predictor(encoder)
    expected = 1 if torch.accelerator.is_available() else 2
    assert predict.threads() == expected
    with torch.autocast("cpu", torch.bfloat16):
        assert predict.threads() == 1
    torch.set_num_threads(1)
    assert predict.threads() == 1


@pytest.mark.usefixtures("two_cores")
def test_each_thread_computes_with_its_share_and_others_keep_theirs(encoder, predictor):
    counts = []

    def count(_):
        counts.append(torch.get_num_threads())

    list(map_in_threads(count, range(6), 2, predictor(encoder).begin_thread()))
    assert counts == [1] * 6
    later = Thread(target=count, args=(None,))
    later.start()
    later.join()
    assert counts[6:] == [2]
    assert torch.get_num_threads() == 2


def test_results_are_arrays_of_float32(usual_model, arrays, predictor):
    predict = predictor(usual_model)
    (result,) = predict.fetch([predict.call(arrays)])
    assert type(result) is np.ndarray
    assert result.dtype == "float32"
