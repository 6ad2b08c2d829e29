"""Models saved by one runtime and read by another, in every format, on padded batches.

The files of the other runtimes are written once, by `saved_models.py` in processes of their own.
"""

import warnings
from importlib.util import find_spec

import numpy as np
import pytest
import saved_models
from runtimes import KERAS_3, RUNTIME
from saved_models import check_gelu, check_predictions, load, load_model, write_elsewhere

from keras_bert.backend import models

_WRITERS = {"tensorflow": "jax", "torch": "tensorflow", "jax": "torch", "tf_keras": "tensorflow"}
_OTHER_BACKEND = _WRITERS[RUNTIME]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.every_runtime,
    pytest.mark.other_engines,
    pytest.mark.skipif(find_spec(_OTHER_BACKEND) is None, reason=f"needs {_OTHER_BACKEND}"),
]

MODELS = list(saved_models.BUILDERS)
FROM_KERAS_2 = [".h5", "weights of .h5", "weights of _weights.h5"]
FROM_KERAS_3 = [
    *(".keras", ".h5", "json"),
    *("weights of .keras", "weights of .h5", "weights of .weights.h5"),
]

keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 3 only")
keras_2 = pytest.mark.skipif(KERAS_3, reason="Keras 2 only")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of `saved_models.write`: this runtime's, another Keras 3 backend's, Keras 2's."""
    base = tmp_path_factory.mktemp("models")
    writers = {
        "keras 3": write_elsewhere(saved_models, base / "keras 3", KERAS_BACKEND=_OTHER_BACKEND)
    }
    if KERAS_3:
        writers["keras 2"] = write_elsewhere(saved_models, base / "keras 2", TF_KERAS="1")
    (base / "this").mkdir()
    saved_models.write(base / "this")
    saved_models.write_trained(base / "this")
    for writer, process in writers.items():
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr[-3000:]
        assert (base / writer / "trained.npz").exists()
    return {"this": base / "this", **{writer: base / writer for writer in writers}}


@keras_3
@pytest.mark.parametrize("form", FROM_KERAS_3)
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
def test_keras_files_need_no_custom_objects(folders):
    model = models.load_model(folders["keras 3"] / "mlm_nsp.keras")
    check_predictions(model, "mlm_nsp", folders["keras 3"])


@keras_3
@pytest.mark.parametrize("writer", ["keras 2", "keras 3"])
def test_gelu_stays_what_it_was(folders, writer):
    check_gelu(folders[writer], ".h5")


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
        with np.load(folder / "trained.npz") as numbers:
            expected = numbers["later_losses"]
        np.testing.assert_allclose(saved_models.train(model, 3), expected, rtol=1e-4)
        assert int(model.optimizer.iterations) == 6
