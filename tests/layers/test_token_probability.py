import numpy as np
from runtimes import to_numpy

from keras_bert.backend import keras
from keras_bert.layers import TokenProbability


def layer_and_features():
    random = np.random.default_rng(0)
    features = random.normal(size=(2, 3, 4)).astype("float32")
    layer = TokenProbability()
    layer.build((None, None, 4))
    layer.set_weights([random.normal(size=(4, 1)), random.normal(size=1)])
    return layer, features


def test_a_sigmoid_for_every_token():
    layer, features = layer_and_features()
    kernel, bias = layer.get_weights()
    expected = 1 / (1 + np.exp(-(features @ kernel + bias)[..., 0]))
    found = to_numpy(layer(features))
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_model_with_it_is_saved_with_its_initializer(tmp_path):
    inputs = keras.layers.Input((None, 4))
    outputs = TokenProbability(kernel_initializer="ones")(inputs)
    model = keras.Model(inputs, outputs)
    assert tuple(outputs.shape) == (None, None)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config()["kernel_initializer"]["class_name"] == "Ones"
    features = np.ones((1, 2, 4), "float32")
    found, expected = (each.predict(features, verbose=0) for each in (loaded, model))
    np.testing.assert_array_equal(found, expected)
