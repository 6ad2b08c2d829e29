"""How tables of embeddings learn, and which ids and lengths their layers refuse.

What is learnt must not depend on how often a row occurs.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from runtimes import (
    KERAS_3,
    ON_TENSORFLOW,
    RUNTIME,
    compiled,
    dtype_policy,
    gradients,
    once,
    to_numpy,
)

from keras_bert.backend import (
    layers,
    lookup,
    models,
    on_accelerator,
    ops,
    optimizers,
    regularizers,
)
from keras_bert.layers import (
    PositionEmbedding,
    TaskEmbedding,
    TokenEmbedding,
    get_embedding,
    get_inputs,
)
from keras_bert.layers.embedding import Embedding
from keras_bert.layers.table import check_ids, check_length, too_long
from keras_bert.optimizers import AdamWarmup

TIMES = 1024
ROWS = 3000


def often():
    """Row 3 in all of 1,024 positions but one, which holds row 5."""
    ids = np.full((4, TIMES // 4), 3, "int32")
    ids[0, 0] = 5
    return ids


# What optimizers make of a table's gradient, in float64. Each keeps what it remembers in `state`.


def adam(weight, gradient, step, state, decay=0.0):
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
    size = 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    weight = weight - 0.1 * decay * weight
    return weight - size * state["m"] / (np.sqrt(state["v"]) + 1e-7)


def adam_w(weight, gradient, step, state):
    return adam(weight, gradient, step, state, decay=0.004)


def sgd(weight, gradient, step, state):
    state["m"] = 0.9 * state.get("m", 0.0) - 0.1 * gradient
    return weight + state["m"]


def lamb(weight, gradient, step, state):
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
    first, second = state["m"] / (1 - 0.9**step), state["v"] / (1 - 0.999**step)
    change = first / (np.sqrt(second) + 1e-7)
    return weight - 0.1 * np.linalg.norm(weight) / np.linalg.norm(change) * change


OPTIMIZERS = {
    "Adam": (lambda **clip: optimizers.Adam(0.1, **clip), adam),
    "AdamW": (lambda **clip: optimizers.AdamW(0.1, **clip), adam_w),
    "SGD": (lambda **clip: optimizers.SGD(0.1, momentum=0.9, **clip), sgd),
    "Lamb": (lambda **clip: optimizers.Lamb(0.1, **clip), lamb),
    "AdamWarmup": (lambda **clip: AdamWarmup(100, 0, 0.1, 0.1, **clip), adam),
}


def twice_called_model():
    """All four embeddings, each called on two inputs, as in a model of pairs of texts."""
    inputs = [*get_inputs(None)[:2], layers.Input(shape=(1,), dtype="int32")]
    embedded, _ = get_embedding(inputs[:2], ROWS, TIMES, 2)
    embedded = TaskEmbedding(4, 2)([embedded, inputs[2]])
    encoder = models.Model(inputs, layers.GlobalAveragePooling1D()(embedded, mask=None))
    inputs = [layers.Input(shape=(size,), dtype="int32") for size in (None, None, 1) * 2]
    outputs = layers.Concatenate()([encoder(inputs[:3]), encoder(inputs[3:])])
    return models.Model(inputs, outputs), encoder


def table_gradients(model, arrays):
    """Of the mean absolute error, whose slope is 1/16 at each of 4 times 4 outputs."""
    shapes = [weight.shape for weight in model.get_weights()]
    found = [np.zeros(shape) for shape in shapes]
    for tokens, segments, tasks in (arrays[:3], arrays[3:]):
        positions = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
        tasks = np.broadcast_to(tasks, tokens.shape)
        for table, ids in zip(found, (tokens, segments, positions, tasks), strict=True):
            np.add.at(table, ids, -1 / 16 / tokens.shape[1])
    return found


def cases():
    """Names of optimizers, clipping arguments, which do not depend on them, and compilation."""
    for name in OPTIMIZERS:
        if KERAS_3 or name != "Lamb":
            yield name, {}, False
    for name in ("SGD", "AdamWarmup"):
        yield name, {"clipnorm": 0.1}, False
        yield name, {"global_clipnorm": 0.1}, False
    if RUNTIME == "tensorflow":  # JAX always compiles, PyTorch never does
        yield "Adam", {}, True


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.parametrize(("name", "clip", "jit"), list(cases()))
def test_steps_of_optimizers(name, clip, jit):
    """Two steps of token, segment, position and task embeddings, the same on every runtime."""
    model, encoder = twice_called_model()
    optimizer, step_of = OPTIMIZERS[name]
    model.compile(optimizer(**clip), loss="mean_absolute_error", jit_compile=jit)
    tokens = often()
    tasks = np.array([[1], [1], [1], [3]], "int32")
    arrays = [tokens, tokens // 5, tasks, tokens[:, ::-1], tokens * 0, tasks]

    found = table_gradients(encoder, arrays)
    if "clipnorm" in clip:
        found = [each * min(1, 0.1 / np.linalg.norm(each)) for each in found]
    elif clip:
        norm = np.sqrt(sum((each**2).sum() for each in found))
        found = [each * 0.1 / norm for each in found]
    expected = [weight.astype("float64") for weight in encoder.get_weights()]
    states = [{} for _ in expected]
    for step in (1, 2):
        # The labels are above all outputs.
        model.train_on_batch(arrays, np.full((4, 4), 100.0, "float32"))
        expected = [
            step_of(*each, step, state)
            for *each, state in zip(expected, found, states, strict=True)
        ]
    for weight, want in zip(encoder.get_weights(), expected, strict=True):
        # Keras takes 1 - 0.999**step in float32, which leaves four digits.
        np.testing.assert_allclose(weight, want, atol=2e-5)


@pytest.mark.parametrize("layer_class", [Embedding, TokenEmbedding])
def test_gradient_counts_occurrences(layer_class):
    ids = layers.Input(shape=(None,), dtype="int32")
    output = layer_class(ROWS, 2)(ids)
    model = models.Model(ids, output[0] if layer_class is TokenEmbedding else output)
    fed = np.array([[3, 3, 5], [0, 3, 5]], "int32")
    factors = np.arange(12, dtype="float32").reshape(2, 3, 2)
    (found,) = gradients(model, ops.convert_to_tensor(fed), [factors])
    expected = np.zeros((ROWS, 2), "float32")
    np.add.at(expected, fed, factors)
    np.testing.assert_allclose(found, expected)


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
@pytest.mark.parametrize("kind", ["token", "segment", "task", "position"])
def test_gradients_are_summed_in_float32(kind):
    """A sum of ones stops at 256 in bfloat16."""
    ids = ops.convert_to_tensor(often())
    fed = ids
    with dtype_policy("mixed_bfloat16"):
        inputs = layers.Input(shape=(None,), dtype="int32")
        if kind == "token":
            output = TokenEmbedding(ROWS, 2)(inputs)[0]
        elif kind == "segment":
            output = Embedding(ROWS, 2)(inputs)
        elif kind == "position":
            output = PositionEmbedding(ROWS, 2)(inputs)
        else:
            features = layers.Input(shape=(None, 2))
            output = TaskEmbedding(ROWS, 2)([features, inputs])
            fed = [ops.convert_to_tensor(np.zeros((4, TIMES // 4, 2), "float32")), ids]
            inputs = [features, inputs]
        model = models.Model(inputs, ops.cast(output, "float32"))
    (found,) = gradients(model, fed, [np.ones((4, TIMES // 4, 2), "float32")])
    assert found.dtype == "float32"
    assert sorted(found[:, 0])[-2:] == [1, TIMES - 1]


@pytest.mark.parametrize("layer_class", [PositionEmbedding, TaskEmbedding])
def test_initializer_regularizer_and_constraint_of_a_table(layer_class):
    layer = layer_class(
        *(3, 2),
        embeddings_initializer="ones",
        embeddings_regularizer=regularizers.L2(0.5),
        embeddings_constraint="non_neg",
        mask_zero=True,
        name="table",
    )
    features = ops.convert_to_tensor(np.ones((1, 1, 2), "float32"))
    ids = ops.convert_to_tensor(np.array([[1]], "int32"))
    layer([features, ids] if layer_class is TaskEmbedding else ids)
    (table,) = layer.get_weights()
    np.testing.assert_array_equal(table, np.ones_like(table))
    (loss,) = layer.losses
    assert float(to_numpy(loss)) == 0.5 * table.size
    (weight,) = layer.weights
    assert float(to_numpy(weight.constraint(ops.convert_to_tensor(-1.0)))) == 0.0
    config = layer.get_config()
    again = layer_class.from_config(config)
    assert again.get_config() == config
    assert (again.input_dim, again.output_dim, again.mask_zero) == (3, 2, True)


# Ids outside a table


def test_ids_in_range_pass():
    check_ids("words", np.array([0, 4]), 5)
    check_ids("words", ops.convert_to_tensor(np.array([[0, 4]])), 5)
    check_ids("words", np.zeros((0, 3), "int32"), 5)


@pytest.mark.skipif(
    RUNTIME == "torch" and on_accelerator(), reason="a GPU's values are not looked at"
)
def test_ids_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"'words' has 5 rows.*\[0, 4\].*from -3 to 7.*vocab"):
        check_ids("words", ops.convert_to_tensor(np.array([[-3, 7, 1]])), 5)


@pytest.mark.skipif(RUNTIME == "torch", reason="Keras compiles nothing on PyTorch")
def test_a_compiled_function_does_not_look_at_values():
    ids = layers.Input(shape=(None,), dtype="int32")
    model = models.Model(ids, Embedding(5, 3, name="words")(ids))
    fed = ops.convert_to_tensor(np.array([[0, 4]], "int32"))
    assert compiled(model)(fed).shape == (1, 2, 3)


OUTSIDE = np.array([[-6, -1, 0], [4, 5, 99]], "int32")


@pytest.mark.parametrize("layer_class", [Embedding, TokenEmbedding, TaskEmbedding])
@pytest.mark.skipif(RUNTIME == "torch", reason="Keras compiles nothing on PyTorch")
def test_ids_outside_are_nan_in_compiled_functions(layer_class):
    """Not zeros, nor the rows of other ids, as XLA would have it."""
    ids = fed = layers.Input(shape=(None,), dtype="int32")
    arrays = ops.convert_to_tensor(OUTSIDE)
    if layer_class is TaskEmbedding:
        fed = [layers.Input(shape=(None, 3)), ids]
        arrays = [ops.convert_to_tensor(np.zeros((2, 3, 3), "float32")), arrays]
    output = layer_class(5, 3)(fed)
    model = models.Model(fed, output[0] if layer_class is TokenEmbedding else output)
    (table,) = model.get_weights()
    found = to_numpy(compiled(model)(arrays))
    np.testing.assert_array_equal(found[[0, 1], [2, 0]], table[[0, 4]])
    assert np.isnan(found).sum() == 4 * 3


@pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorFlow's error")
def test_ids_outside_are_an_error_in_a_graph_for_a_cpu():
    import tensorflow as tf

    if on_accelerator():
        pytest.skip("a CPU's error")
    layer = Embedding(5, 3)
    layer.build((None, None))
    for number in (-1, 5):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{number} is not in \[0, 5\)"):
            tf.function(layer)(tf.constant([[0, number]]))


@pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's way")
def test_no_id_outside_reaches_a_gpu(monkeypatch):
    """Which would refuse to compute anything from then on."""
    taken, take = [], ops.take
    monkeypatch.setattr("keras_bert.backend.torch.traced", lambda ids: True)  # taken like a GPU's
    monkeypatch.setattr(ops, "take", lambda x, ids, axis: taken.append(ids) or take(x, ids, axis))
    table = ops.convert_to_tensor(np.arange(15, dtype="float32").reshape(5, 3))
    table.requires_grad_()
    found = lookup(table, ops.convert_to_tensor(OUTSIDE))
    assert (int(taken[0].min()), int(taken[0].max())) == (0, 4)
    found[[0, 1], [2, 0]].sum().backward()
    np.testing.assert_array_equal(to_numpy(table.grad)[:, 0], [1, 0, 0, 0, 1])
    found = to_numpy(found)
    np.testing.assert_array_equal(found[[0, 1], [2, 0]], to_numpy(table)[[0, 4]])
    assert np.isnan(found).sum() == 4 * 3


# Lengths that a layer's positions do not hold

LAYER = SimpleNamespace(name="Embedding-Position", input_dim=4)


@once
@pytest.mark.parametrize("length", [1, 4, None, "b"])  # "b": a symbol of JAX for any length
def test_lengths_that_may_pass(length):
    assert check_length(LAYER, length) is None


@once
def test_longer_than_the_layer_has_positions():
    message = "'Embedding-Position' holds 4 positions. Received: a sequence of length 5."
    with pytest.raises(ValueError, match=message):
        check_length(LAYER, 5)
    assert too_long(LAYER, 5).startswith(f"Layer {message}")


@once
def test_no_positions():
    with pytest.raises(ValueError, match=r"'Embedding-Position' needs .* length 0\."):
        check_length(LAYER, 0)
