"""predictor: what `predict_on_batch` gives, on PyTorch and under Keras 2 with less around it."""

import numpy as np
import pytest
from runtimes import KERAS_3, RUNTIME, dtype_policy

from keras_bert import get_model
from keras_bert.backend import layers, models
from keras_bert.prediction import predictor

keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3's policies and models")
ARRAYS = [
    np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1], [0, 0, 0, 0, 0]]),
    np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]),
]


def encoder(**options):
    sizes = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 7}
    return models.Model(*get_model(20, seq_len=None, pos_num=9, training=False, **sizes, **options))


def check(model, asks_keras, monkeypatch):
    expected = np.asarray(model.predict_on_batch(ARRAYS), "float32")
    calls, original = [], model.predict_on_batch
    monkeypatch.setattr(
        type(model), "predict_on_batch", lambda _, arrays: calls.append(1) or original(arrays)
    )
    predict = predictor(model)
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(predict(ARRAYS), "float32"), expected)
    assert bool(calls) == asks_keras


@pytest.mark.parametrize(
    "options", [{}, {"output_layer_num": 2}, {"output_len": 1}, {"feed_forward_activation": "relu"}]
)
def test_an_encoder(options, monkeypatch):
    check(encoder(**options), RUNTIME in ("tensorflow", "jax"), monkeypatch)


@keras_3
@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16"])
def test_policies(policy, monkeypatch):
    with dtype_policy(policy):
        model = encoder()
    check(model, RUNTIME != "torch" or policy.startswith("mixed"), monkeypatch)


@keras_3
def test_an_encoder_with_lora(monkeypatch):
    model = encoder()
    attention = model.get_layer("Encoder-1-MultiHeadSelfAttention")
    attention.query.enable_lora(2)
    attention.query.lora_kernel_b.assign(np.ones((2, 12)))
    check(model, RUNTIME != "torch", monkeypatch)


@keras_3
def test_other_models_are_keras_own_affair(monkeypatch):
    inner = encoder()
    for outputs in (
        layers.Dense(3)(inner.output),
        layers.Dropout(0.0)(inner.output, training=True),
    ):
        check(models.Model(inner.inputs, outputs), True, monkeypatch)


@keras_3
def test_weights_are_those_of_the_moment():
    model = encoder()
    predict = predictor(model)
    before = np.asarray(predict(ARRAYS))
    norm = model.get_layer("Encoder-2-FeedForward-Norm")
    norm.set_weights([2 * weight for weight in norm.get_weights()])
    np.testing.assert_allclose(np.asarray(predict(ARRAYS)), 2 * before, rtol=1e-6)
