"""predictor: what `predict_on_batch` gives, on PyTorch and TensorFlow with less around it."""

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, dtype_policy

from keras_bert import backend, get_model
from keras_bert.backend import layers, models, on_accelerator, ops
from keras_bert.extraction.any_length import consists_of_known_layers
from keras_bert.layers import Add, FeedForward, LayerNormalization, MultiHeadAttention


def predictor(model):
    return backend.predictor(model, consists_of_known_layers(model))


keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3's policies and models")
ARRAYS = [
    np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1], [0, 0, 0, 0, 0]], "int32"),
    np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], "int32"),
]


def encoder(**options):
    sizes = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 7}
    return models.Model(*get_model(20, seq_len=None, pos_num=9, training=False, **sizes, **options))


def asks_keras(on_torch):
    """JAX does in any case, TensorFlow on CPUs for no model made of an encoder's layers."""
    return {"jax": True, "torch": on_torch}.get(RUNTIME, KERAS_3 and on_accelerator())


def check(model, asks_keras, monkeypatch):
    expected = np.asarray(model.predict_on_batch(ARRAYS), "float32")
    calls, original = [], model.predict_on_batch
    monkeypatch.setattr(
        type(model), "predict_on_batch", lambda _, arrays: calls.append(1) or original(arrays)
    )
    predict = predictor(model).call
    # TensorFlow's graph of a function for every shape rounds otherwise than that of one for one.
    rounding = 2e-6 if model.dtype_policy.compute_dtype == "float32" else 0.02
    close = rounding if ON_TENSORFLOW and not asks_keras else 0
    for _ in range(2):
        result = np.asarray(predict(ARRAYS), "float32")
        np.testing.assert_allclose(result, expected, rtol=0, atol=close)
    assert bool(calls) == asks_keras


@pytest.mark.parametrize(
    "options", [{}, {"output_layer_num": 2}, {"output_len": 1}, {"feed_forward_activation": "relu"}]
)
def test_an_encoder(options, monkeypatch):
    check(encoder(**options), asks_keras(False), monkeypatch)


@keras_3
@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16"])
def test_policies(policy, monkeypatch):
    with dtype_policy(policy):
        model = encoder()
    check(model, asks_keras(policy.startswith("mixed")), monkeypatch)


@keras_3
def test_an_encoder_with_lora(monkeypatch):
    model = encoder()
    attention = model.get_layer("Encoder-1-MultiHeadSelfAttention")
    attention.query.enable_lora(2)
    attention.query.lora_kernel_b.assign(np.ones((2, 12)))
    check(model, asks_keras(False), monkeypatch)


@keras_3
@pytest.mark.parametrize(
    ("of_known_layers", "outputs"),
    [
        (False, lambda inner: layers.Dense(3)(inner.output)),
        (True, lambda inner: layers.Dropout(0.0)(inner.output, training=True)),
        (True, lambda inner: LayerNormalization()(inputs=inner.output)),
        (
            False,
            lambda inner: MultiHeadAttention(3)(inner.output, ops.not_equal(inner.inputs[0], 0)),
        ),
        (False, lambda inner: ops.abs(inner.output)),
        (False, lambda inner: inner.output * 2),
    ],
)
def test_other_models(outputs, of_known_layers, monkeypatch):
    inner = encoder()
    model = models.Model(inner.inputs, outputs(inner))
    check(model, asks_keras(True) if of_known_layers else True, monkeypatch)


@keras_3
def test_a_layer_with_a_policy_of_its_own(monkeypatch):
    inner = encoder()
    added = Add(dtype="bfloat16")([inner.output, inner.output])
    check(models.Model(inner.inputs, FeedForward(5)(added)), asks_keras(True), monkeypatch)


@keras_3
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_quantized_tables(monkeypatch):
    inputs = [layers.Input((None,), dtype="int32") for _ in range(2)]
    embedded = [layers.Embedding(20, 12)(each) for each in inputs]
    model = models.Model(inputs, FeedForward(5)(Add()(embedded)))
    model.quantize("int8")
    check(model, asks_keras(True), monkeypatch)


@keras_3
@pytest.mark.parametrize("name", ["call", "predict_on_batch"])
def test_a_patched_model(name):
    model = encoder()
    original = getattr(model, name)
    setattr(model, name, lambda *args, **kwargs: 2 * original(*args, **kwargs))
    expected = np.asarray(model.predict_on_batch(ARRAYS))
    np.testing.assert_array_equal(predictor(model).call(ARRAYS), expected)


@keras_3
def test_a_patched_layer(monkeypatch):
    model = encoder()
    layer = model.get_layer("Encoder-2-MultiHeadSelfAttention")
    original = layer.call
    layer.call = lambda *args, **kwargs: 2 * original(*args, **kwargs)
    check(model, asks_keras(True), monkeypatch)


@pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's hooks")
@pytest.mark.parametrize("name", [None, "Encoder-2-FeedForward"])
def test_hooks_of_pytorch_are_called(name, monkeypatch):
    model = encoder()
    module = model.get_layer(name) if name else model
    hook = module.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    check(model, True, monkeypatch)
    hook.remove()
    check(model, False, monkeypatch)


@keras_3
def test_weights_are_those_of_the_moment():
    model = encoder()
    predict = predictor(model).call
    before = np.asarray(predict(ARRAYS))
    norm = model.get_layer("Encoder-2-FeedForward-Norm")
    norm.set_weights([2 * weight for weight in norm.get_weights()])
    np.testing.assert_allclose(np.asarray(predict(ARRAYS)), 2 * before, rtol=1e-6)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="elsewhere one thread is as fast")
def test_two_threads_call_what_changes_nothing():
    model = encoder()
    assert predictor(model).threads == (1 if on_accelerator() else 2)
    if not KERAS_3:  # Keras 3 passes the model's own `training` on
        drawn = layers.Dropout(0.5)(model.output, training=True)
        assert predictor(models.Model(model.inputs, drawn)).threads == 1


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="Keras 3's LoRA and a function of TensorFlow")
def test_lora_after_a_prediction():
    model = encoder()
    before = np.asarray(predictor(model).call(ARRAYS))
    attention = model.get_layer("Encoder-1-MultiHeadSelfAttention")
    attention.query.enable_lora(2)
    attention.query.lora_kernel_b.assign(np.ones((2, 12)))
    after = np.asarray(predictor(model).call(ARRAYS))
    np.testing.assert_allclose(after, model(ARRAYS), atol=1e-5)
    assert np.abs(after - before).max() > 1e-4


@pytest.mark.skipif(not ON_TENSORFLOW, reason="elsewhere a model's own function is called")
def test_a_compiled_model_is_traced_anew():
    model = encoder()
    before = np.asarray(predictor(model).call(ARRAYS))
    layer = model.get_layer("Encoder-2-FeedForward")
    layer.call = lambda inputs, **_: 0.0 * inputs
    np.testing.assert_array_equal(np.asarray(predictor(model).call(ARRAYS)), before)
    model.compile()
    assert np.abs(np.asarray(predictor(model).call(ARRAYS)) - before).max() > 0.01
