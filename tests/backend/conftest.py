"""Models that a predictor computes: an encoder as it comes, and with something unusual."""

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, dtype_policy

from keras_bert import backend, get_model
from keras_bert.backend import keras, layers, models, on_accelerator, ops
from keras_bert.extraction.any_length import consists_of_known_layers
from keras_bert.layers import Add, FeedForward, LayerNormalization, MultiHeadAttention

ARRAYS = [
    np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1], [0, 0, 0, 0, 0]], "int32"),
    np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0]], "int32"),
]


def build_encoder(**options):
    sizes = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 7}
    return models.Model(*get_model(20, seq_len=None, pos_num=9, training=False, **sizes, **options))


def under_policy(name):
    with dtype_policy(name):
        return build_encoder()


def with_lora():
    model = build_encoder()
    attention = model.get_layer("Encoder-1-MultiHeadSelfAttention")
    attention.query.enable_lora(2)
    attention.query.lora_kernel_b.assign(np.ones((2, 12)))
    return model


def finished(outputs):
    inner = build_encoder()
    return models.Model(inner.inputs, outputs(inner))


def with_a_policy_of_its_own():
    inner = build_encoder()
    added = Add(dtype="bfloat16")([inner.output, inner.output])
    return models.Model(inner.inputs, FeedForward(5)(added))


def with_quantized_tables():
    inputs = [layers.Input((None,), dtype="int32") for _ in range(2)]
    embedded = [layers.Embedding(20, 12)(each) for each in inputs]
    model = models.Model(inputs, FeedForward(5)(Add()(embedded)))
    model.quantize("int8")
    return model


def with_a_patched_layer():
    model = build_encoder()
    layer = model.get_layer("Encoder-2-MultiHeadSelfAttention")
    original = layer.call
    layer.call = lambda *args, **kwargs: 2 * original(*args, **kwargs)
    return model


USUAL = {
    "plain": build_encoder,
    "two outputs": lambda: build_encoder(output_layer_num=2),
    "first token": lambda: build_encoder(output_len=1),
    "relu": lambda: build_encoder(feed_forward_activation="relu"),
}
UNUSUAL = {
    "mixed": lambda: under_policy("mixed_bfloat16"),
    "dropout": lambda: finished(lambda it: layers.Dropout(0.0)(it.output, training=True)),
    "keyword": lambda: finished(lambda it: LayerNormalization()(inputs=it.output)),
    "policy of its own": with_a_policy_of_its_own,
    "quantized tables": with_quantized_tables,
    "patched layer": with_a_patched_layer,
}
FOREIGN = {
    "rescaled": lambda: finished(lambda it: layers.Rescaling(2.0)(it.output)),
    "given mask": lambda: finished(
        lambda it: MultiHeadAttention(3)(it.output, ops.not_equal(it.inputs[0], 0))
    ),
    "operation": lambda: finished(lambda it: ops.abs(it.output)),
    "operator": lambda: finished(lambda it: it.output * 2),
}
if KERAS_3:  # which has policies, LoRA and operations in models
    USUAL |= {"bfloat16": lambda: under_policy("bfloat16"), "lora": with_lora}
else:
    UNUSUAL, FOREIGN = {}, {}


@pytest.fixture(autouse=True)
def new_tensors_are_where_keras_computes():
    """PyTorch itself makes them on the CPU."""
    if RUNTIME != "torch" or not on_accelerator():
        yield
        return
    import torch

    with torch.device(ops.convert_to_tensor(0).device):
        yield


@pytest.fixture
def encoder():
    return build_encoder()


@pytest.fixture(params=USUAL)
def usual_model(request):
    """A model of an encoder's layers alone, as users have it."""
    keras.utils.set_random_seed(0)
    return USUAL[request.param]()


@pytest.fixture(params=UNUSUAL)
def unusual_model(request):
    """A model of the same layers, of which Keras makes something else than their `call`."""
    keras.utils.set_random_seed(0)
    return UNUSUAL[request.param]()


@pytest.fixture(params=FOREIGN)
def foreign_model(request):
    """A model with something that no encoder has."""
    keras.utils.set_random_seed(0)
    return FOREIGN[request.param]()


@pytest.fixture
def arrays():
    return ARRAYS


@pytest.fixture
def predictor():
    """The predictor of a model, as an extraction asks for it."""
    return lambda model: backend.predictor(model, consists_of_known_layers(model))


@pytest.fixture
def check_predictor(predictor, monkeypatch):
    """Compares a model's predictor with `predict_on_batch`, and says whether it asks Keras."""

    def check(model, asks_keras):
        expected = np.asarray(model.predict_on_batch(ARRAYS), "float32")
        calls, original = [], model.predict_on_batch
        monkeypatch.setattr(
            models.Model, "predict_on_batch", lambda _, arrays: calls.append(1) or original(arrays)
        )
        predict = predictor(model)
        # TensorFlow's graph for any shape rounds otherwise than that for one shape.
        rounding = 2e-6 if model.dtype_policy.compute_dtype == "float32" else 0.02
        close = rounding if ON_TENSORFLOW and not asks_keras else 0
        for _ in range(2):
            (result,) = predict.fetch([predict.call(ARRAYS)])
            result = np.asarray(result, "float32")
            np.testing.assert_allclose(result, expected, rtol=0, atol=close)
        assert bool(calls) == asks_keras

    return check
