"""Models saved and read again, in every format, by every runtime, on padded batches.

The files of the other runtimes are written once per test run, by `saved_models.py` in processes of
their own; those that keras-bert 0.8x wrote are data (tests/data/old_files).
"""

import os
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import saved_models
from runtimes import KERAS_3, RUNTIME, to_numpy

import keras_bert
from keras_bert import get_custom_objects
from keras_bert.backend import models, ops, optimizers, utils

MODELS = list(saved_models.BUILDERS)

# Sums in another order by another library; old files are compared as the contract says.
TOLERANCE = 1e-5

keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3 only")
keras_2 = pytest.mark.skipif(KERAS_3, reason="Keras 2 only")


# Files of this and the other runtimes

_OTHER_BACKEND = {"tensorflow": "jax", "torch": "tensorflow", "jax": "torch", "tf_keras": "torch"}


def write_elsewhere(folder, **environment):
    """Start `saved_models.py` under another runtime."""
    folder.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TF_KERAS", "TF_USE_LEGACY_KERAS", "KERAS_BACKEND")
    }
    # Named, because PYTHONSAFEPATH keeps a script's own folder out of the search.
    places = [Path(keras_bert.__file__).parent.parent, Path(saved_models.__file__).parent]
    kept["PYTHONPATH"] = os.pathsep.join([*map(str, places), kept.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, saved_models.__file__, str(folder)],
        env={**kept, **environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of `saved_models.write`: this runtime's, another Keras 3 backend's, Keras 2's."""
    base = tmp_path_factory.mktemp("models")
    backend = _OTHER_BACKEND[RUNTIME]
    if find_spec(backend) is None:
        backend = "tensorflow"
    writers = {"keras 3": write_elsewhere(base / "keras 3", KERAS_BACKEND=backend)}
    if KERAS_3:
        writers["keras 2"] = write_elsewhere(base / "keras 2", TF_KERAS="1")
    (base / "this").mkdir()
    saved_models.write(base / "this")
    for writer, process in writers.items():
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr[-3000:]
        assert (base / writer / "predictions.npz").exists()
    return {"this": base / "this", **{writer: base / writer for writer in writers}}


def check_predictions(model, name, folder):
    with np.load(folder / "predictions.npz") as numbers:
        for index, output in enumerate(saved_models.predict(model, name)):
            assert np.abs(output).max() > 0.01
            np.testing.assert_allclose(output, numbers[f"{name}/{index}"], atol=TOLERANCE)


def load_model(path, **options):
    return models.load_model(path, custom_objects=get_custom_objects(), **options)


def load_json(path):
    text = path.read_text("utf-8")
    return models.model_from_json(text, custom_objects=get_custom_objects())


def load(folder, name, form):
    """Read a model in one of the ways there are."""
    if form == "json":
        model = load_json(folder / f"{name}.json")
        model.load_weights(folder / f"{name}.weights.h5")
        return model
    if form in (".keras", ".h5"):
        return load_model(folder / f"{name}{form}")
    model = saved_models.BUILDERS[name]()
    model.load_weights(folder / f"{name}{form.removeprefix('weights of ')}")
    return model


SAME_KERAS = [
    ".keras",
    ".h5",
    "json",
    "weights of .keras",
    "weights of .h5",
    "weights of .weights.h5",
]
FROM_KERAS_2 = [".h5", "weights of .h5", "weights of _weights.h5"]


@pytest.mark.parametrize("form", SAME_KERAS)
@pytest.mark.parametrize("name", MODELS)
def test_files_of_this_runtime(folders, name, form):
    check_predictions(load(folders["this"], name, form), name, folders["this"])


@keras_2
@pytest.mark.parametrize("name", MODELS)
def test_weights_in_h5_of_this_runtime(folders, name):
    check_predictions(load(folders["this"], name, "weights of _weights.h5"), name, folders["this"])


@keras_3
@pytest.mark.parametrize("form", SAME_KERAS)
@pytest.mark.parametrize("name", MODELS)
def test_files_of_another_backend(folders, name, form):
    check_predictions(load(folders["keras 3"], name, form), name, folders["keras 3"])


@keras_3
@pytest.mark.parametrize("form", FROM_KERAS_2)
@pytest.mark.parametrize("name", MODELS)
def test_files_of_keras_2(folders, name, form):
    check_predictions(load(folders["keras 2"], name, form), name, folders["keras 2"])


@keras_2
@pytest.mark.parametrize("name", MODELS)
def test_weights_of_keras_3(folders, name):
    check_predictions(load(folders["keras 3"], name, "weights of .h5"), name, folders["keras 3"])


@pytest.mark.parametrize("form", [".keras", ".h5", "json"])
def test_configurations_that_cannot_be_read(folders, form):
    if KERAS_3 and form == ".h5":
        pytest.skip("Keras 3 reads these, see above")
    folder = folders["keras 2" if KERAS_3 else "keras 3"]
    says = (
        "(?s)written by Keras 2.*TF_KERAS=1.*model.h5"
        if KERAS_3
        else "(?s)written by Keras 3.*model.h5"
    )
    with pytest.raises(ValueError, match=says):
        load(folder, "mlm_nsp", form)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("form", ["weights of .keras", "weights of .weights.h5"])
def test_weights_that_cannot_be_read(folders, name, form):
    """Keras itself says so; that nothing is left out silently is what matters."""
    folder = folders["keras 2" if KERAS_3 else "keras 3"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras may warn before it raises
        with pytest.raises(ValueError, match=r"could not be loaded|expected \d+ variables"):
            load(folder, name, form)


@keras_3
@pytest.mark.parametrize("writer", ["this", "keras 3"])
def test_keras_files_need_no_custom_objects(folders, writer):
    model = models.load_model(folders[writer] / "mlm_nsp.keras")
    check_predictions(model, "mlm_nsp", folders[writer])


def test_custom_objects_as_a_scope(folders):
    for form in (".keras", ".h5"):
        with utils.custom_object_scope(get_custom_objects()):
            model = models.load_model(folders["this"] / f"classifier{form}")
        check_predictions(model, "classifier", folders["this"])


# The two forms of GELU

X = np.linspace(-4, 4, 17, dtype="float32")


def is_exact(activation):
    """Whether a function is the erf form; it must be one of the two."""
    got = to_numpy(activation(ops.convert_to_tensor(X)))
    distances = [
        np.abs(got - to_numpy(form(ops.convert_to_tensor(X)))).max()
        for form in (keras_bert.activations.gelu_tanh, keras_bert.activations.gelu_erf)
    ]
    assert min(distances) < 1e-6 < 3e-4 < max(distances)
    return bool(distances[1] < distances[0])


def writers_and_forms():
    forms = [("this", form) for form in (".keras", ".h5", "json")]
    return forms + ([("keras 2", ".h5"), ("keras 3", ".h5")] if KERAS_3 else [])


@pytest.mark.parametrize(("writer", "form"), writers_and_forms())
def test_gelu_stays_what_it_was(folders, writer, form):
    folder = folders[writer]
    for name, exact in (("mlm_nsp", False), ("mlm_nsp_exact", True)):
        model = load(folder, name, form)
        for layer in ("MLM-Dense", "Encoder-1-FeedForward"):
            assert is_exact(model.get_layer(layer).activation) is exact
    assert is_exact(load(folder, "classifier", form).get_layer("Head").activation)
    tagger = load(folder, "tagger", form)
    assert is_exact(tagger.get_layer("time_distributed").layer.activation)
    assert not is_exact(tagger.get_layer("Encoder-2-FeedForward").activation)


@pytest.mark.parametrize("name", ["tagger", "nested"])
def test_saving_again_keeps_everything(folders, tmp_path, name):
    """A file of Keras 2 through this runtime's formats, one after the other."""
    folder = folders["keras 2" if KERAS_3 else "this"]
    path = folder / f"{name}.h5"
    # (Keras 2 names weights of a model inside a model from a .keras file so that it cannot write
    # them to an .h5 file: "name already exists".)
    for suffix in (".keras", ".h5", ".keras") if KERAS_3 else (".h5", ".h5", ".keras"):
        model = load_model(path)
        path = tmp_path / f"again{suffix}"
        model.save(path)
    check_predictions(load_model(path), name, folder)


def test_the_mode_of_the_position_embedding_survives(folders, tmp_path):
    """Reading .h5 files, Keras takes the string "add" for its function of that name."""
    for suffix in (".h5", ".keras"):
        model = load_model(folders["this"] / f"encoder{suffix}")
        assert model.get_layer("Embedding-Position").mode == "add"
        model.save(tmp_path / "again.keras")
        assert load_model(tmp_path / "again.keras").get_layer("Embedding-Position").mode == "add"


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(("trainable", "count"), [(False, 0), (True, 37), (["Encoder-2"], 16)])
def test_frozen_layers_stay_frozen(tmp_path, trainable, count, suffix):
    options = {**saved_models.SIZES, "transformer_num": 2, "trainable": trainable}
    model = models.Model(*keras_bert.get_model(training=False, seq_len=10, **options))
    model.save(tmp_path / f"model{suffix}")
    again = load_model(tmp_path / f"model{suffix}")
    assert [len(each.trainable_weights) for each in (model, again)] == [count, count]


# Training on


def test_training_goes_on_with_adam_warmup(folders):
    """From compiled files, with the optimizer's state: the losses that the writer had."""
    files = [("this", ".h5"), ("keras 3", ".keras"), ("keras 2", ".h5")]
    files = files if KERAS_3 else [("this", ".h5"), ("this", ".keras")]
    for writer, suffix in files:
        folder = folders[writer]
        model = load_model(folder / f"trained{suffix}")
        check_predictions(model, "trained", folder)
        if RUNTIME == "torch":
            # Files of the other backends ask for compilation, for which PyTorch wants a C++
            # compiler; without being asked Keras compiles nothing there.
            model.jit_compile = False
        with np.load(folder / "predictions.npz") as numbers:
            expected = numbers["later_losses"]
        np.testing.assert_allclose(saved_models.train(model, 3), expected, rtol=1e-4)
        assert int(model.optimizer.iterations) == 6


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


# Adapters


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
