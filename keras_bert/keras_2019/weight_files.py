"""Files of weights that programs of 2018–2021 save and load."""

import functools
import re
import warnings

import h5py
from tf_keras.src.saving.legacy import save as legacy

from ..backend import activations, keras, layers
from . import modes, report


def install() -> None:
    """Let models save and load them as they did then."""
    keras.Model.save_weights = _in_old_layout(keras.Model.save_weights)
    keras.Model.load_weights = _of_old_files(keras.Model.load_weights)


def _in_old_layout(save_weights):
    """Save the old layout under any name: Keras 2 today has another for `.weights.h5`."""

    @functools.wraps(save_weights)
    def call(model, filepath, *args, **kwargs):
        is_old = modes.is_keras_imported() or modes.in_graph_mode()
        if is_old and str(filepath).endswith(".weights.h5"):
            report.note("the old layout in files .weights.h5")
            return legacy.save_weights(model, filepath, *args, **kwargs)
        return save_weights(model, filepath, *args, **kwargs)

    return call


def _of_old_files(load_weights):
    """Take `by_name` as the second argument, and the old layout under any name."""

    @functools.wraps(load_weights)
    def call(model, filepath, by_name=False, skip_mismatch=False, **kwargs):
        version = _written_by(filepath)
        if version is not None:
            _warn_of_recurrent_activation(model, filepath, version)
        load = load_weights
        if version is not None and str(filepath).endswith(".weights.h5"):
            report.note("the old layout in files .weights.h5")
            load = legacy.load_weights
        return load(model, filepath, by_name=by_name, skip_mismatch=skip_mismatch, **kwargs)

    return call


def _written_by(filepath) -> str | None:
    """The version of Keras that wrote a file of the old layout; None for any other file."""
    try:
        with h5py.File(filepath, "r") as file:
            weights = file.get("model_weights", file)
            if "layer_names" not in weights.attrs:
                return None
            version = weights.attrs.get("keras_version", file.attrs.get("keras_version", ""))
    except (OSError, TypeError, ValueError):
        return None  # Keras will say what is wrong with it
    return version.decode() if isinstance(version, bytes) else str(version)


def _warn_of_recurrent_activation(model, filepath, version: str) -> None:
    """Keras 2.3 changed the default of LSTM and GRU; weights do not tell which they had."""
    if not re.fullmatch(r"2\.[0-2]\.\d+", version):  # "2.2.4-tf" is TensorFlow 1's and 2's
        return
    if report.is_noted("CuDNNLSTM") or report.is_noted("CuDNNGRU"):
        return  # which had one form alone
    found = [
        layer.name
        for layer in model._flatten_layers()
        if isinstance(layer, (layers.LSTM, layers.GRU))
        and layer.recurrent_activation is activations.sigmoid
    ]
    if found:
        warnings.warn(
            f"{filepath} was written by Keras {version}, where LSTM and GRU had "
            "recurrent_activation='hard_sigmoid' unless another was given. The layers "
            f"{', '.join(found)} have 'sigmoid', the default since Keras 2.3. If the script gives "
            "none, predictions are wrong: write recurrent_activation='hard_sigmoid' there.",
            stacklevel=3,
        )
