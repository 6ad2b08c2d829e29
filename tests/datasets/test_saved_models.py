"""What Keras saved is no model folder: it is refused at once, and nothing is unpacked."""

import re
import zipfile

import pytest
from runtimes import once

from keras_bert import get_pretrained, load_task_model
from keras_bert.datasets.folders import model_folder

pytestmark = once


def write_keras_file(path):
    """The names that every .keras file has."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    return path


@pytest.mark.parametrize("take", [get_pretrained, model_folder, load_task_model])
@pytest.mark.parametrize("name", ["saved.keras", "saved.h5", "SAVED.HDF5", "model.zip"])
def test_a_saved_model_is_refused_by_name_or_content(tmp_path, home, take, name):
    path = write_keras_file(tmp_path / name)
    message = re.escape(str(path)) + r" is a saved model of Keras.*load_model.*save_task_model"
    for given in (path, str(path)):
        with pytest.raises(ValueError, match=message):
            take(given)
    assert not home.exists()


def test_so_is_one_on_a_server(home, web):
    with pytest.raises(ValueError, match="is a saved model of Keras"):
        get_pretrained(f"{web.url}/saved.keras?download=true")
    assert web.ranges == []
    assert not home.exists()
    web.files["/model.zip"] = write_keras_file(home.parent / "model.zip").read_bytes()
    with pytest.raises(ValueError, match=r"model\.zip is a saved model of Keras"):
        get_pretrained(f"{web.url}/model.zip")
    assert [path.name for path in (home / "datasets").iterdir()] == [".model.lock"]


def test_a_folder_may_be_called_so(tmp_path):
    (tmp_path / "model.keras").mkdir()
    assert model_folder(tmp_path / "model.keras") == str(tmp_path / "model.keras")
