"""Models saved and read again by the same runtime, in every format, on padded batches."""

import copy
import pickle

import numpy as np
import pytest
import saved_models
from runtimes import KERAS_3, as_list, to_numpy
from saved_models import check_gelu, check_predictions, load, load_model

import keras_bert
from keras_bert import get_custom_objects
from keras_bert.backend import layers, models, optimizers, utils

MODELS = list(saved_models.BUILDERS)
slow = pytest.mark.slow
keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3 only")
keras_2 = pytest.mark.skipif(KERAS_3, reason="Keras 2 only")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    saved_models.write(folder)
    return folder


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    "form",
    [
        ".keras",
        ".h5",
        "json",
        "weights of .keras",
        "weights of .h5",
        "weights of .weights.h5",
    ],
)
@pytest.mark.parametrize("name", MODELS)
def test_files(folder, name, form):
    check_predictions(load(folder, name, form), name, folder)


@keras_2
@pytest.mark.parametrize("name", MODELS)
def test_weights_as_keras_2_alone_writes_them(folder, name):
    check_predictions(load(folder, name, "weights of _weights.h5"), name, folder)


def test_keras_files_need_no_custom_objects(folder):
    check_predictions(models.load_model(folder / "mlm_nsp.keras"), "mlm_nsp", folder)


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "clone_model": models.clone_model,
    "configuration": lambda model: models.Model.from_config(model.get_config()),
    "json": lambda model: models.model_from_json(model.to_json()),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", ["mlm_nsp", "classifier"])
def test_copies_need_no_custom_objects(name, way):
    """With attention of Keras' own beside that of this package, which has the same name."""
    model = saved_models.build(name)
    tail = layers.MultiHeadAttention(2, 3, name="tail")
    sequence = model.get_layer("Encoder-1-FeedForward-Norm").output
    model = models.Model(model.inputs, [*as_list(model.outputs), tail(sequence, sequence)])
    copied = COPIES[way](model)
    first = copied.get_layer("Encoder-1-MultiHeadSelfAttention").get_weights()
    assert not np.allclose(first[0], first[2])  # query and key have other first values
    if way not in ("deepcopy", "pickle"):
        copied.set_weights(model.get_weights())
    kinds = [[type(layer) for layer in each.layers] for each in (model, copied)]
    assert kinds[0] == kinds[1]
    expected, found = (saved_models.predict(each, name) for each in (model, copied))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)


def test_custom_objects_as_a_scope(folder):
    for suffix in (".keras", ".h5"):
        with utils.custom_object_scope(get_custom_objects()):
            model = models.load_model(folder / f"classifier{suffix}")
        check_predictions(model, "classifier", folder)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("form", [".keras", ".h5", "json"])
def test_gelu_stays_what_it_was(folder, form):
    check_gelu(folder, form)


def test_the_mode_of_the_position_embedding_survives(folder, tmp_path):
    """Reading .h5 files, Keras takes the string "add" for its function of that name."""
    for suffix in (".h5", ".keras"):
        model = load_model(folder / f"encoder{suffix}")
        assert model.get_layer("Embedding-Position").mode == "add"
        model.save(tmp_path / "again.keras")
        assert load_model(tmp_path / "again.keras").get_layer("Embedding-Position").mode == "add"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(("trainable", "count"), [(False, 0), (True, 37), (["Encoder-2"], 16)])
def test_frozen_layers_stay_frozen(tmp_path, trainable, count, suffix):
    options = {**saved_models.SIZES, "transformer_num": 2, "trainable": trainable}
    model = models.Model(*keras_bert.get_model(training=False, seq_len=10, **options))
    model.save(tmp_path / f"model{suffix}")
    again = load_model(tmp_path / f"model{suffix}")
    assert [len(each.trainable_weights) for each in (model, again)] == [count, count]


@slow
def test_an_optimizer_of_keras_in_h5(tmp_path):
    """Keras 3 loses its state and says so at the first step; compiled again, it goes on."""
    model = saved_models.build("classifier")
    saved_models.compile_classifier(model, optimizers.Adam(1e-3))
    saved_models.train(model, 1)
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    if KERAS_3:
        with pytest.raises(ValueError, match=r"(?s)Unknown variable|built with 0 variables"):
            saved_models.train(again, 1)
        saved_models.compile_classifier(again, optimizers.Adam(1e-3))
    assert np.isfinite(saved_models.train(again, 1)).all()


@slow
@keras_3
def test_low_rank_adapters_reach_attention_and_feed_forward(tmp_path):
    """Training goes on from a file: kernels include the adapters, which start anew."""
    model = saved_models.build("classifier")
    before = saved_models.predict(model, "classifier")[0]
    attention = model.get_layer("Encoder-1-MultiHeadSelfAttention")
    feed_forward = model.get_layer("Encoder-1-FeedForward")
    for layer in model.layers:
        layer.trainable = layer in (attention, feed_forward)
    attention.enable_lora(rank=2)
    feed_forward.enable_lora(rank=2)
    assert len(model.trainable_weights) == 6 * 3  # two factors and the bias of each
    np.testing.assert_allclose(saved_models.predict(model, "classifier")[0], before, atol=1e-6)
    saved_models.compile_classifier(model, optimizers.Adam(0.01))
    saved_models.train(model, 2)
    after = saved_models.predict(model, "classifier")[0]
    assert np.abs(after - before).max() > 1e-3
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = load_model(tmp_path / name, compile=False)
        np.testing.assert_allclose(saved_models.predict(again, "classifier")[0], after, atol=1e-5)
        paths = [[each.path for each in one.trainable_weights] for one in (again, model)]
        assert paths[0] == paths[1]
    again = load_model(tmp_path / "model.keras")
    variables = zip(again.optimizer.variables, model.optimizer.variables, strict=True)
    for variable, expected in variables:
        np.testing.assert_array_equal(to_numpy(variable), to_numpy(expected))
    saved_models.train(again, 1)
