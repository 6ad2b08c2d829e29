"""Files of weights that programs of 2018–2021 save and load."""

import functools
import re
import warnings

import h5py
from tf_keras.src.engine import training_v1
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
        version, names = _written_by(filepath)
        if version is not None:
            _warn_of_recurrent_activation(model, filepath, version, names if by_name else None)
        load = load_weights
        if version is not None and str(filepath).endswith(".weights.h5"):
            report.note("the old layout in files .weights.h5")
            load = legacy.load_weights
        return load(model, filepath, by_name=by_name, skip_mismatch=skip_mismatch, **kwargs)

    return call


def _written_by(filepath) -> tuple[str | None, set[str]]:
    """The version of Keras that wrote a file of the old layout, None for others, and its layers."""
    try:
        with h5py.File(filepath, "r") as file:
            weights = file.get("model_weights", file)
            if "layer_names" not in weights.attrs:
                return None, set()
            names = set(map(_as_str, weights.attrs["layer_names"]))
            version = weights.attrs.get("keras_version", file.attrs.get("keras_version", ""))
            return _as_str(version), names
    except (OSError, TypeError, ValueError):
        return None, set()  # Keras will say what is wrong with it


def _as_str(text) -> str:
    return text.decode() if isinstance(text, bytes) else str(text)


def _warn_of_recurrent_activation(model, filepath, version: str, names: set[str] | None) -> None:
    """Keras 2.3 changed the default of LSTM and GRU; weights do not tell which they had.

    `names` are those of the layers that get weights, None for all.
    """
    # "2.2.4-tf" is TensorFlow 1's, with the old default, and TensorFlow 2.0's, with the new one.
    if not re.fullmatch(r"2\.[01]\.\d+(-tf)?|2\.2\.\d+", version):
        return
    if report.is_noted("CuDNNLSTM") or report.is_noted("CuDNNGRU"):
        return  # which had one form alone
    found = [
        each.name
        for layer in model.layers
        if names is None or layer.name in names
        for each in (layer, *layer.submodules)
        if each.variables  # not the pattern that Bidirectional makes its two layers from
        and isinstance(getattr(each, "cell", None), (layers.LSTMCell, layers.GRUCell))
        and each.cell.recurrent_activation is activations.sigmoid
    ]
    if found:
        warnings.warn(
            f"{filepath} was written by Keras {version}, where LSTM and GRU had "
            "recurrent_activation='hard_sigmoid' unless another was given. Here they have "
            f"'sigmoid', the default since Keras 2.3, in {', '.join(found)}. If the script gives "
            "none, predictions are wrong: write recurrent_activation='hard_sigmoid' there.",
            stacklevel=3 + isinstance(model, training_v1.Model),  # which calls the other's
        )
