"""Gradients of embedding tables, which must not depend on how often a row occurs."""

import numpy as np
import pytest
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, compiled, dtype_policy, gradients, to_numpy

from keras_bert.backend import layers, lookup, models, ops, optimizers
from keras_bert.layers import (
    PositionEmbedding,
    TaskEmbedding,
    TokenEmbedding,
    get_embedding,
    get_inputs,
)
from keras_bert.layers.embedding import Embedding
from keras_bert.layers.ids import check_ids
from keras_bert.optimizers import AdamWarmup

TIMES = 1024
ROWS = 3000


def table_model(layer_class):
    ids = layers.Input(shape=(None,), dtype="int32")
    embedding = layer_class(ROWS, 2)
    output = embedding(ids)
    output = output[0] if layer_class is TokenEmbedding else output
    return models.Model(ids, layers.GlobalAveragePooling1D()(output, mask=None)), embedding


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


@pytest.mark.skipif(RUNTIME != "tensorflow", reason="an error of Keras 3 on TensorFlow")
def test_why_gradients_are_summed_here():
    """Should this fail, Keras' own embedding has become as good."""
    model, embedding = table_model(layers.Embedding)
    before = embedding.get_weights()[0]
    model.compile(optimizers.Adam(0.1), loss="mean_absolute_error")
    model.train_on_batch(often(), np.full((4, 2), 100.0, "float32"))
    moved = embedding.get_weights()[0] - before
    np.testing.assert_allclose(moved[5], 0.1, rtol=0.01)
    np.testing.assert_allclose(moved[3], 0.1 * np.sqrt(TIMES - 1), rtol=0.01)


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


@pytest.mark.skipif(RUNTIME != "torch", reason="second derivatives on PyTorch")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_of_the_gradient(dtype):
    """As a penalty on the size of a table's gradient needs it."""
    import torch

    table = torch.randn(5, 3, dtype=getattr(torch, dtype), requires_grad=True)
    ids = torch.tensor([[1, 1, 4]], dtype=torch.int32)
    (gradient,) = torch.autograd.grad((lookup(table, ids) ** 3).sum(), table, create_graph=True)
    assert gradient.dtype == table.dtype
    (gradient**2).sum().backward()
    counts = torch.tensor([0.0, 2, 0, 0, 1])[:, None]
    # Of (3·n·w²)².
    torch.testing.assert_close(table.grad, (36 * counts**2 * table**3).to(table.dtype).detach())


@pytest.mark.skipif(RUNTIME != "torch", reason="transforms of PyTorch")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # inside
def test_derivatives_under_transforms():
    """Several at once, a text's own and in a direction, each by hand."""
    import torch
    from torch.autograd import forward_ad

    table = torch.randn(5, 3, requires_grad=True)
    ids = torch.tensor([[1, 1, 4], [0, 4, 4]], dtype=torch.int32)
    counts = torch.tensor([[0.0, 2, 0, 0, 1], [1, 0, 0, 0, 2]])[:, :, None]
    squares = (lookup(table, ids) ** 2).sum(dim=(1, 2))
    (found,) = torch.autograd.grad(squares, table, torch.eye(2), is_grads_batched=True)
    torch.testing.assert_close(found, 2 * counts * table.detach())

    def square(table, ids):
        return (lookup(table, ids) ** 2).sum()

    found = torch.func.vmap(torch.func.grad(square), (None, 0))(table, ids)
    torch.testing.assert_close(found, 2 * counts * table)
    direction = torch.randn(5, 3)
    with forward_ad.dual_level():
        output = square(forward_ad.make_dual(table, direction), ids)
        change = forward_ad.unpack_dual(output).tangent
    torch.testing.assert_close(change, (2 * counts.sum(dim=0) * table * direction).sum())


@pytest.mark.skipif(not ON_TENSORFLOW, reason="XLA on TensorFlow")
def test_lookup_under_xla():
    model, embedding = table_model(TokenEmbedding)
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
