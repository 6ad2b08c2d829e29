"""Which features are dropped: a share, unrelated to each other, the same ones in the gradient."""

import numpy as np
import pytest
from runtimes import KERAS_3, RUNTIME, gradients, to_numpy

from keras_bert.backend import keras, layers, models, ops
from keras_bert.layers import Dropout

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has its own")
torch_only = pytest.mark.skipif(RUNTIME != "torch", reason="the numbers drawn on PyTorch")


def dropped(rate, shape=(64, 100, 30), dtype="float32", **options):
    layer = Dropout(rate, dtype=dtype, **options)
    return to_numpy(layer(ops.ones(shape, dtype), training=True)).astype("float64")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 0.001])
def test_share_and_scale(rate, dtype):
    step = 0
    if RUNTIME == "tensorflow" and dtype != "float32":
        # Keras draws numbers of that type, which go in steps; smaller rates are below one.
        rate, step = max(rate, 0.1), {"bfloat16": 2**-7, "float16": 2**-10}[dtype]
    output = dropped(rate, dtype=dtype)
    share = (output == 0).mean()
    assert abs(share - rate) < step + 5 * (rate * (1 - rate) / output.size) ** 0.5
    kept = np.unique(output[output != 0])
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-4 if dtype == "float32" else 1e-2)
    assert len(kept) == 1


def test_neighbours_are_independent():
    """Along every axis, and at the distances at which numbers share a word of 64 bits."""
    gone = (dropped(0.3, (300, 1000)) == 0) - 0.3
    for axis in (0, 1):
        for distance in (1, 2, 3, 4, 8):
            first = np.take(gone, range(gone.shape[axis] - distance), axis)
            second = np.take(gone, range(distance, gone.shape[axis]), axis)
            assert abs((first * second).mean()) < 5 * 0.21 / 300_000**0.5


@pytest.mark.parametrize("shape", [(1,), (5, 3), (2, 0, 3)])
def test_any_number_of_features(shape):
    assert dropped(0.5, shape).shape == shape


def test_calls_differ_and_seeds_repeat_them():
    layer, ones = Dropout(0.5), ops.ones((100,))
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        if RUNTIME != "torch":  # where a layer holds a state of its own
            layer = Dropout(0.5)
        runs.append([to_numpy(layer(ones, training=True)) for _ in range(2)])
    np.testing.assert_array_equal(*runs)
    assert (runs[0][0] != runs[0][1]).any()


def test_no_training_no_dropping():
    ones = ops.ones((100,))
    for output in (Dropout(0.5)(ones), Dropout(0.0)(ones, training=True)):
        np.testing.assert_array_equal(to_numpy(output), 1.0)


def test_gradient_is_of_what_was_kept():
    inputs = layers.Input(shape=(50,))
    model = models.Model(inputs, Dropout(0.5)(layers.Dense(50)(inputs), training=True))
    fed = ops.ones((4, 50))
    model.get_layer(index=1).set_weights([np.eye(50, dtype="float32"), np.zeros(50, "float32")])
    keras.utils.set_random_seed(1)
    output = to_numpy(model(fed))
    keras.utils.set_random_seed(1)
    found = gradients(model, fed, [np.ones((4, 50), "float32")])[1]
    if RUNTIME == "torch":
        np.testing.assert_allclose(found, output.sum(axis=0))
    assert 0 < (found == 0).sum() < 25
    assert set(np.unique(found)) <= {0.0, 2.0, 4.0, 6.0, 8.0}


@torch_only
@pytest.mark.parametrize("options", [{"seed": 7}, {"noise_shape": (None, 1)}])
def test_keras_options_are_keras_own(options):
    outputs = []
    for kind in (layers.Dropout, Dropout):
        keras.utils.set_random_seed(5)
        outputs.append(to_numpy(kind(0.5, **options)(ops.ones((40, 10)), training=True)))
    np.testing.assert_array_equal(*outputs)


@torch_only
def test_rate_in_a_tensor():
    """As a schedule may set it."""
    layer = Dropout(0.0001)
    layer.rate = ops.convert_to_tensor(0.25)
    share = (to_numpy(layer(ops.ones((100_000,)), training=True)) == 0).mean()
    assert abs(share - 0.25) < 0.01


@torch_only
def test_where_the_features_are():
    """Not where PyTorch makes new tensors, such as on a GPU."""
    import torch

    ones = torch.ones(100)
    with torch.device("meta"):
        output = Dropout(0.5)(ones, training=True)
    assert set(output.tolist()) == {0.0, 2.0}


@torch_only
def test_transforms_and_compilation():
    """Each of several models drops features of its own, and a compiled graph is in one piece."""
    import torch

    layer = Dropout(0.5)
    ones = torch.ones(3, 200)
    models = torch.func.vmap(lambda each: layer(each, training=True), randomness="different")
    rows = {tuple(row.tolist()) for row in models(ones)}
    assert len(rows) == 3
    whole = torch.compile(
        lambda each: layer.call(each, training=True), backend="eager", fullgraph=True
    )
    assert set(whole(ones).unique().tolist()) == {0.0, 2.0}


def test_files_name_it(tmp_path):
    inputs = layers.Input(shape=(3,))
    models.Model(inputs, Dropout(0.25, name="drop")(inputs)).save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras").get_layer("drop")
    assert (type(again), again.rate) == (Dropout, 0.25)
