"""Heads of all kinds in `.h5` files of Keras 2 predict on Keras 3 what they predicted there."""

import keras_2_heads
import numpy as np
import pytest
from keras_2_heads import HEADS, LENGTH, SIZE, batch
from runtimes import KERAS_3
from saved_models import load_model, write_elsewhere

from keras_bert import get_custom_objects
from keras_bert.backend import layers, models
from keras_bert.saving.old_files import FunctionalReader

pytestmark = [
    pytest.mark.skipif(not KERAS_3, reason="Keras 3 reads them"),
    # As in Keras 2, where nothing was said of it.
    pytest.mark.filterwarnings("ignore:Layer .* does not support masking:UserWarning"),
]
NAMES = [
    "slices",
    "Attention",
    "Concatenate along positions",
    "Concatenate of one mask",
    "Maximum of one mask",
    "Average of the other mask",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads") / "keras 2"
    _, messages = write_elsewhere(keras_2_heads, folder, TF_KERAS="1").communicate(timeout=300)
    assert (folder / "predictions.npz").exists(), messages[-3000:]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", HEADS)
def test_predictions(folder, name):
    with np.load(folder / "predictions.npz") as numbers:
        expected = numbers[name]
    found = load_model(folder / f"{name}.h5").predict(batch(), verbose=0)
    # Sums in another order, of numbers up to 10.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_files_of_keras_3_keep_what_they_mean(folder, tmp_path, name, suffix):
    model = load_model(folder / f"{name}.h5")
    model.save(tmp_path / f"again{suffix}")
    again = load_model(tmp_path / f"again{suffix}")
    np.testing.assert_array_equal(
        again.predict(batch(), verbose=0), model.predict(batch(), verbose=0)
    )


@pytest.mark.slow
def test_a_layer_of_the_users_own_is_left_alone(folder):
    class Multiply(layers.Multiply):
        pass

    objects = {**get_custom_objects(), "Multiply": Multiply}
    model = models.load_model(folder / "Multiply of masked.h5", custom_objects=objects)
    assert [type(each) for each in model.layers].count(Multiply) == 1


@pytest.mark.parametrize(
    ("class_name", "call", "config"),
    [
        ("TFOpLambda", {"axis": 1}, {"function": "math.reduce_mean"}),
        ("TensorFlowOpLayer", {}, {}),
        ("SlicingOpLambda", {"slice_spec": [["other", 0, 0]]}, {}),
        ("SlicingOpLambda", {"slice_spec": [{"start": None, "stop": None, "step": -1}]}, {}),
        ("MultiHeadAttention", {}, {"key_dim": 4}),
    ],
)
def test_operations_of_tensorflow_are_named(class_name, call, config):
    config_of_model = {
        "name": "mine",
        "layers": [
            {
                "class_name": "InputLayer",
                "name": "features",
                "config": {"batch_input_shape": [None, LENGTH, SIZE], "name": "features"},
                "inbound_nodes": [],
            },
            {
                "class_name": class_name,
                "name": "what",
                "config": {"name": "what", **config},
                "inbound_nodes": [["features", 0, 0, call]],
            },
        ],
        "input_layers": [["features", 0, 0]],
        "output_layers": [["what", 0, 0]],
    }
    with pytest.raises(ValueError, match=r"'mine' has parts that Keras 3 cannot read .*: what\. "):
        FunctionalReader.from_config(config_of_model)
