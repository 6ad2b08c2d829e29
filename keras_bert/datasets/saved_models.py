"""Files of Keras' own, which are no model folders and no archives of one."""

from __future__ import annotations

import os
import zipfile
from urllib.parse import urlsplit

_ENDINGS = (".keras", ".h5", ".hdf5")
_IN_HUGGING_FACE_FOLDERS = "tf_model.h5"
_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
HOW_TO_OPEN = (
    "open it with keras.models.load_model(path, custom_objects=keras_bert.get_custom_objects()). "
    "A model folder is then written by save_task_model or save_sentence_model, or of an encoder by "
    "the command convert"
)


def is_named_as_saved_model(address: str) -> bool:
    """Whether a path or URL ends like a file that Keras saved."""
    path = urlsplit(address).path.lower()
    return path.endswith(_ENDINGS) and not path.endswith(_IN_HUGGING_FACE_FOLDERS)


def check_is_no_saved_model(path: str | os.PathLike[str], address: str) -> None:
    """Refuse a .keras file under whatever name; `address` is what the user gave.

    Raises:
        ValueError: If it is one; the message says what to do.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:  # another kind of archive, or damaged: unpacking says it
        return
    if names >= _MEMBERS:
        raise saved_model_error(address)


def saved_model_error(address: str) -> ValueError:
    """Make the error for a file that Keras saved."""
    return ValueError(f"{address} is a saved model of Keras, not a model folder: {HOW_TO_OPEN}.")
