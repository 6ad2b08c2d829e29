"""Gradients of embedding tables, which must not depend on how often a row occurs."""

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, compiled, dtype_policy, gradients, to_numpy

from keras_bert.backend import layers, models, ops, optimizers
from keras_bert.layers import PositionEmbedding, TaskEmbedding, TokenEmbedding
from keras_bert.layers.embedding import Embedding
from keras_bert.layers.lookup import check_ids

SMALL, LARGE = 6, 3000  # below and above the size from which TensorFlow's gradient is sparse
TIMES = 1024


def table_model(rows, layer_class=Embedding):
    ids = layers.Input(shape=(None,), dtype="int32")
    embedding = layer_class(rows, 2)
    output = embedding(ids)
    output = output[0] if layer_class is TokenEmbedding else output
    return models.Model(ids, layers.GlobalAveragePooling1D()(output, mask=None)), embedding


def often():
    """Row 3 in all of 1,024 places but one, which holds row 5."""
    ids = np.full((4, TIMES // 4), 3, "int32")
    ids[0, 0] = 5
    return ids


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("rows", [SMALL, LARGE])
@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop", "Adagrad"])
def test_one_step_of_stock_optimizers(name, rows, jit):
    """Numbers by hand for the gradient g, the sum over a row's occurrences."""
    if jit and not (RUNTIME == "tensorflow" and name in ("Adam", "SGD")):
        pytest.skip("JAX always compiles, PyTorch never does")
    if RUNTIME == "tf_keras" and name == "Adagrad":
        pytest.skip("not this package's gradient")
    model, embedding = table_model(rows)
    before = embedding.get_weights()[0]
    optimizer = getattr(optimizers, name)(learning_rate=0.1)
    model.compile(optimizer, loss="mean_absolute_error", jit_compile=jit)
    # Above all outputs, so that the loss falls by 1/8 for each unit of an output.
    ids = often()
    model.train_on_batch(ids, np.full((4, 2), 100.0, "float32"))
    moved = embedding.get_weights()[0] - before
    shares = np.zeros(rows)
    shares[3], shares[5] = (TIMES - 1) / TIMES / 2, 1 / TIMES / 2
    expected = {
        "Adam": shares / (shares + 1e-7 / np.sqrt(1e-3)),
        "SGD": shares,
        "RMSprop": shares / np.sqrt(0.1 * shares**2 + 1e-7),
        "Adagrad": shares / np.sqrt(0.1 + shares**2 + 1e-7),
    }[name]
    np.testing.assert_allclose(moved, 0.1 * np.stack([expected] * 2, axis=1), atol=2e-4)
    assert not moved[shares == 0].any()


@pytest.mark.parametrize("rows", [SMALL, LARGE])
@pytest.mark.parametrize("layer_class", [Embedding, TokenEmbedding])
def test_gradient_counts_occurrences(rows, layer_class):
    ids = layers.Input(shape=(None,), dtype="int32")
    output = layer_class(rows, 2)(ids)
    model = models.Model(ids, output[0] if layer_class is TokenEmbedding else output)
    fed = np.array([[3, 3, 5], [0, 3, 5]], "int32")
    factors = np.arange(12, dtype="float32").reshape(2, 3, 2)
    (found,) = gradients(model, ops.convert_to_tensor(fed), [factors])
    expected = np.zeros((rows, 2), "float32")
    np.add.at(expected, fed, factors)
    np.testing.assert_allclose(found, expected)


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="the gradient of TensorFlow under Keras 3")
@pytest.mark.parametrize("jit", [False, True])
def test_large_tables_get_sparse_gradients_with_unique_rows(jit):
    import tensorflow as tf

    _, embedding = table_model(LARGE)
    ids = tf.constant(often())

    @tf.function(jit_compile=jit)
    def gradient():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(embedding(ids))
        slices = tape.gradient(total, embedding.embeddings.value)
        assert isinstance(slices, tf.IndexedSlices)
        return slices.indices, slices.values

    indices, values = (each.numpy() for each in gradient())
    assert sorted(indices) == [3, 5]
    assert dict(zip(indices, values[:, 0], strict=True)) == {3: TIMES - 1, 5: 1}


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
@pytest.mark.parametrize("rows", [SMALL, LARGE])
@pytest.mark.parametrize("kind", ["token", "segment", "task", "position"])
def test_gradients_are_summed_in_float32(kind, rows):
    """A sum of ones stops at 256 in bfloat16."""
    ids = ops.convert_to_tensor(often())
    fed = ids
    with dtype_policy("mixed_bfloat16"):
        inputs = layers.Input(shape=(None,), dtype="int32")
        if kind == "token":
            output = TokenEmbedding(rows, 2)(inputs)[0]
        elif kind == "segment":
            output = Embedding(rows, 2)(inputs)
        elif kind == "position":
            output = PositionEmbedding(rows, 2)(inputs)
        else:
            features = layers.Input(shape=(None, 2))
            output = TaskEmbedding(rows, 2)([features, inputs])
            fed = [ops.convert_to_tensor(np.zeros((4, TIMES // 4, 2), "float32")), ids]
            inputs = [features, inputs]
        model = models.Model(inputs, ops.cast(output, "float32"))
    (found,) = gradients(model, fed, [np.ones((4, TIMES // 4, 2), "float32")])
    assert found.dtype == "float32"
    assert sorted(found[:, 0])[-2:] == [1, TIMES - 1]


@pytest.mark.skipif(not ON_TENSORFLOW, reason="XLA on TensorFlow")
@pytest.mark.parametrize("rows", [SMALL, LARGE])
def test_lookup_under_xla(rows):
    model, embedding = table_model(rows, TokenEmbedding)
    output = to_numpy(compiled(model)(ops.convert_to_tensor(often())))
    table = embedding.get_weights()[0]
    np.testing.assert_allclose(output, table[often()].mean(axis=1), atol=1e-5)


def test_ids_in_range_pass():
    check_ids("words", np.array([0, 4]), 5)
    check_ids("words", ops.convert_to_tensor(np.array([[0, 4]])), 5)
    check_ids("words", np.zeros((0, 3), "int32"), 5)


def test_ids_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"'words' has 5 rows.*\[0, 4\].*from -3 to 7.*vocab"):
        check_ids("words", ops.convert_to_tensor(np.array([[-3, 7, 1]])), 5)
