import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, gradients, to_numpy

from keras_bert.backend import layers, models, ops
from keras_bert.layers import EmbeddingSimilarity, TokenEmbedding
from keras_bert.layers.stack.embed_sim import EmbeddingSim


@old_cases("similarity", "embedding_sim")
def test_as_the_old_layer(case, tmp_path):
    # Probabilities stay in float32 under 16-bit policies, whose range is too small for them.
    check_layer(**old_case(case), fixed_inputs=[1], output_dtypes=["variable"], tmp_path=tmp_path)


@pytest.mark.parametrize("stop", [False, True])
def test_gradient_of_the_shared_table(stop):
    """By hand: of sum(f·p), p the softmax over x·Tᵀ, dT = Σ (p∘(f − f·p)) xᵀ."""
    random = np.random.RandomState(4)
    ids = layers.Input(shape=(None,), dtype="int32")
    features = layers.Input(shape=(None, 4))
    _, table = TokenEmbedding(7, 4, embeddings_initializer="normal")(ids)
    sim = EmbeddingSim(stop_gradient=stop) if stop else EmbeddingSimilarity()
    model = models.Model([ids, features], sim([features, table]))
    x = random.normal(size=(2, 3, 4)).astype("float32")
    factors = random.normal(size=(2, 3, 7)).astype("float32")
    fed = [ops.convert_to_tensor(np.zeros((2, 3), "int32")), ops.convert_to_tensor(x)]
    p = to_numpy(model(fed))
    found = {
        tuple(weight.shape): gradient
        for weight, gradient in zip(
            model.trainable_weights, gradients(model, fed, [factors]), strict=True
        )
    }
    logits_gradient = p * (factors - (factors * p).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(found[7,], logits_gradient.sum(axis=(0, 1)), atol=1e-6)
    expected = np.einsum("btv,btd->vd", logits_gradient, x)
    if stop:
        assert found[7, 4] is None or not found[7, 4].any()
    else:
        np.testing.assert_allclose(found[7, 4], expected, atol=1e-6)


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
def test_large_logits_in_float16():
    features = np.full((1, 1, 4), 100.0, "float32")
    table = np.array([[1.0, 1, 1, 1], [-1.0, -1, -1, -1]], "float32") * 100
    layer = EmbeddingSimilarity(dtype="mixed_float16")
    output = layer([ops.convert_to_tensor(features), ops.convert_to_tensor(table)])
    np.testing.assert_allclose(to_numpy(output), [[[1.0, 0.0]]])


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has the small package's layer")
def test_options_of_the_bias_and_logits():
    options = {"initializer": "ones", "regularizer": "l2", "constraint": "non_neg"}
    first = EmbeddingSimilarity(**options, return_logits=True)
    random = np.random.RandomState(0)
    features, table = (random.normal(size=size).astype("float32") for size in [(2, 3, 4), (5, 4)])
    for layer in (first, EmbeddingSimilarity.from_config(first.get_config())):
        logits = layer([ops.convert_to_tensor(features), ops.convert_to_tensor(table)])
        np.testing.assert_allclose(to_numpy(logits), features @ table.T + 1, atol=1e-5)
        assert [float(to_numpy(each)) for each in layer.losses] == pytest.approx([0.01 * 5])
        assert type(layer.bias.constraint).__name__ == "NonNeg"
