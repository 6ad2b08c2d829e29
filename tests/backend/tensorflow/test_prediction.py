"""Predictions by a function traced once are those of `predict_on_batch`."""

import gc
import weakref

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME

from keras_bert import backend, get_model
from keras_bert.backend import layers, models, on_accelerator

pytestmark = [
    pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorFlow's way"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method"),
]
keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3's LoRA, policies and models")


def asks_keras():
    return KERAS_3 and on_accelerator()


@pytest.mark.sampled(3)
@pytest.mark.every_runtime
def test_an_encoder(usual_model, check_predictor):
    check_predictor(usual_model, asks_keras())


@pytest.mark.sampled(3)
@pytest.mark.every_runtime
@keras_3
def test_where_layers_are_not_called_as_usual(unusual_model, check_predictor):
    check_predictor(unusual_model, asks_keras())


@pytest.mark.sampled(2)
@pytest.mark.every_runtime
@keras_3
def test_other_models(foreign_model, check_predictor):
    check_predictor(foreign_model, asks_keras=True)


@keras_3
@pytest.mark.parametrize("name", ["call", "predict_on_batch"])
def test_a_patched_model(name, encoder, arrays, predictor):
    original = getattr(encoder, name)
    setattr(encoder, name, lambda *args, **kwargs: 2 * original(*args, **kwargs))
    expected = np.asarray(encoder.predict_on_batch(arrays))
    np.testing.assert_array_equal(predictor(encoder).call(arrays), expected)


def test_weights_are_those_of_the_moment(encoder, arrays, predictor):
    predict = predictor(encoder).call
    before = np.asarray(predict(arrays))
    norm = encoder.get_layer("Encoder-2-FeedForward-Norm")
    norm.set_weights([2 * weight for weight in norm.get_weights()])
    np.testing.assert_allclose(np.asarray(predict(arrays)), 2 * before, rtol=1e-6)


def test_two_threads_call_what_changes_nothing(encoder, predictor):
    assert predictor(encoder).threads() == (1 if on_accelerator() else 2)
    if not KERAS_3:  # Keras 3 passes the model's own `training` on
        drawn = layers.Dropout(0.5)(encoder.output, training=True)
        assert predictor(models.Model(encoder.inputs, drawn)).threads() == 1


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="Keras 3's LoRA")
def test_lora_after_a_prediction(encoder, arrays, predictor):
    before = np.asarray(predictor(encoder).call(arrays))
    attention = encoder.get_layer("Encoder-1-MultiHeadSelfAttention")
    attention.query.enable_lora(2)
    attention.query.lora_kernel_b.assign(np.ones((2, 12)))
    after = np.asarray(predictor(encoder).call(arrays))
    np.testing.assert_allclose(after, encoder(arrays), atol=1e-5)
    assert np.abs(after - before).max() > 1e-4


def test_a_compiled_model_is_traced_anew(encoder, arrays, predictor):
    before = np.asarray(predictor(encoder).call(arrays))
    layer = encoder.get_layer("Encoder-2-FeedForward")
    layer.call = lambda inputs, **_: 0.0 * inputs
    np.testing.assert_array_equal(np.asarray(predictor(encoder).call(arrays)), before)
    encoder.compile()
    assert np.abs(np.asarray(predictor(encoder).call(arrays)) - before).max() > 0.01


@keras_3
@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"jit_compile": True}])
def test_models_that_are_to_be_run_otherwise_are_left_to_keras(options, encoder):
    encoder.compile(**options)
    assert backend.predictor(encoder, of_known_layers=True).call == encoder.predict_on_batch


def test_the_weights_go_with_a_model_that_has_predicted():
    """TensorFlow keeps the graphs of some functions for good, and weights with them."""
    import tensorflow as tf

    inputs, features = get_model(20, embed_dim=6, transformer_num=1, head_num=2, training=False)
    model = models.Model(inputs, features)
    model.predict_on_batch([np.ones((1, 512), "int32")] * 2)
    weight = model.get_layer("Embedding-Token").weights[0]
    weight = weight if isinstance(weight, tf.Variable) else weight.value
    known = weakref.ref(weight.handle)  # of its memory
    del inputs, features, model, weight
    gc.collect()
    assert known() is None
