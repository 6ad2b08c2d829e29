import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, RUNTIME, to_numpy

from keras_bert import get_custom_objects
from keras_bert.backend import layers, models, ops
from keras_bert.layers.stack import TrigPosEmbedding

keras_3 = pytest.mark.skipif(not KERAS_3, reason="the small package's own ways")


@old_cases("trig")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


def vectors(positions, units):
    """Section 3.5 of Attention Is All You Need, in float64."""
    exponents = np.arange(0, units, 2) / units
    angles = np.asarray(positions, "float64")[..., None] / 10000.0**exponents
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(*angles.shape[:-1], units)


@keras_3
@pytest.mark.parametrize(
    ("policy", "tolerance"), [("float64", 1e-12), ("float32", 1e-4), ("mixed_bfloat16", 0.01)]
)
def test_precision_of_large_positions(policy, tolerance):
    if policy == "float64" and RUNTIME == "jax":
        pytest.skip("JAX has float64 on request only")
    positions = np.array([[257.0, 1001.0]])
    layer = TrigPosEmbedding("expand", output_dim=6, dtype=policy)
    output = to_numpy(layer(ops.convert_to_tensor(positions.astype("float32"))))
    np.testing.assert_allclose(output, vectors(positions, 6), atol=tolerance)


@keras_3
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "sum"}, "`mode` must be"),
        ({"mode": "expand"}, "`output_dim` must be an even number"),
        ({"mode": "concat", "output_dim": 5}, "output_dim=5"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        TrigPosEmbedding(**arguments)


@keras_3
def test_an_odd_number_of_features_has_no_pairs():
    with pytest.raises(ValueError, match=r"features must be even.*shape \(2, 3, 5\)"):
        TrigPosEmbedding()(np.zeros((2, 3, 5), "float32"))


@pytest.mark.parametrize("mode", ["add", "concat"])
def test_h5_files(mode, tmp_path):
    """From which Keras 3 reads the string "add" as its function of that name."""
    inputs = layers.Input((None, 6))
    model = models.Model(inputs, TrigPosEmbedding(mode, output_dim=6)(inputs))
    model.save(tmp_path / "model.h5")
    loaded = models.load_model(tmp_path / "model.h5", custom_objects=get_custom_objects())
    assert loaded.layers[-1].mode == mode
    features = np.random.RandomState(0).normal(size=(2, 3, 6)).astype("float32")
    np.testing.assert_array_equal(loaded.predict(features), model.predict(features))
