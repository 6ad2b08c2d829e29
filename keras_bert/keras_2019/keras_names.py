"""What Keras itself did otherwise in 2018–2021, put into Keras 2."""

import functools
import warnings
from types import MethodType

import tensorflow as tf
from tf_keras.src import backend as keras_backend
from tf_keras.src.callbacks import CallbackList
from tf_keras.src.engine import data_adapter, training_arrays_v1, training_v1
from tf_keras.src.saving import serialization_lib
from tf_keras.src.saving.legacy.saved_model import load
from tf_keras.src.utils import metrics_utils

from ..backend import backend, keras, layers, models, optimizers, utils
from . import modes
from .report import note
from .tensorflow_names import keras_function
from .validation_data import giving_validation_data, validating_in_order

_SPARSE_LOSSES = ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy")

# Warnings about what old programs cannot do otherwise.
_DEPRECATED = (
    "The `lr` argument is deprecated",
    r"`[Mm]odel\.\w+_generator` is deprecated",
    "`Model.state_updates` will be removed",
    "You are saving your model as an HDF5 file",
)


def install() -> None:
    """Put the old names in place."""
    for deprecated in _DEPRECATED:
        warnings.filterwarnings("ignore", message=deprecated)
    for function in (CuDNNGRU, CuDNNLSTM):
        setattr(layers, function.__name__, function)
        utils.get_custom_objects()[function.__name__] = function  # by which files name them
    utils.multi_gpu_model = multi_gpu_model
    # The last that those programs know. Many compare it as text, and "2.21" comes before "2.3".
    keras.__version__ = "2.6.0"
    models.Sequential.predict_classes = predict_classes
    models.Sequential.predict_proba = predict_proba
    optimizers.legacy.Optimizer.__init__ = _noting_lr(optimizers.legacy.Optimizer.__init__)
    CallbackList.on_epoch_end = _with_old_names(CallbackList.on_epoch_end)
    CallbackList._call_batch_hook = _answering_to_old_names(CallbackList._call_batch_hook)
    for model in (keras.Model, training_v1.Model):  # the second in graph mode
        model.fit = giving_validation_data(model.fit)
        for name in ("fit_generator", "evaluate_generator", "predict_generator"):
            setattr(model, name, _noted(getattr(model, name)))
    training_arrays_v1.model_iteration = validating_in_order(training_arrays_v1.model_iteration)
    keras.Model.predict = _silent(keras.Model.predict)
    models.save_model = _as_h5(models.save_model)
    keras.Model.save = _as_h5(keras.Model.save)
    keras.Model.save_weights = _as_h5(keras.Model.save_weights)
    data_adapter.pack_x_y_sample_weight = _taking_lists(data_adapter.pack_x_y_sample_weight)
    keras.Model.compile = _with_accuracy_of_loss(keras.Model.compile)
    training_v1.Model.compile = _taking_functions(training_v1.Model.compile)
    metrics_utils.sparse_categorical_matches = _with_open_shapes(
        metrics_utils.sparse_categorical_matches
    )
    serialization_lib.enable_unsafe_deserialization()  # of Lambda layers, for which none asked
    load.load = _naming_custom_objects(load.load)
    backend.batch_dot = _naming_old_rule(backend.batch_dot)
    keras_backend.unique_object_name = _counted_from_1(keras_backend.unique_object_name)


def CuDNNLSTM(*args, **kwargs):
    """An LSTM, which computes the same on every device and reads the weights of a CuDNNLSTM."""
    note("CuDNNLSTM")
    return layers.LSTM(*args, **kwargs)


def CuDNNGRU(*args, **kwargs):
    """A GRU, which computes the same on every device and reads the weights of a CuDNNGRU."""
    note("CuDNNGRU")
    return layers.GRU(*args, reset_after=True, **kwargs)


def multi_gpu_model(model, gpus=None, cpu_merge=True, cpu_relocation=False):
    """The model itself: Keras no longer divides batches this way."""
    note("multi_gpu_model (which does nothing)")
    return model


def predict_classes(model, x, batch_size=32, verbose=0):
    """The class of each example."""
    note("predict_classes")
    predicted = model.predict(x, batch_size=batch_size, verbose=verbose)
    if predicted.shape[-1] > 1:
        return predicted.argmax(axis=-1)
    return (predicted > 0.5).astype("int32")


def predict_proba(model, x, batch_size=32, verbose=0):
    """The same as `predict`."""
    note("predict_proba")
    return model.predict(x, batch_size=batch_size, verbose=verbose)


def _noted(function):
    @functools.wraps(function)
    def noted(*args, **kwargs):
        note(function.__name__)
        return function(*args, **kwargs)

    return noted


def _noting_lr(function):
    @functools.wraps(function)
    def init(self, name, *args, **kwargs):
        if "lr" in kwargs:
            note("lr of optimizers")
        function(self, name, *args, **kwargs)

    return init


def _with_old_names(function):
    """Let callbacks, and the history, see the metric `accuracy` as `acc`, too."""

    @functools.wraps(function)
    def on_epoch_end(self, epoch, logs=None):
        names = [name for name in logs or () if name.split("_")[-1] == "accuracy"]
        old = {name[: -len("uracy")]: logs[name] for name in names}
        if old:
            note(" and ".join(old))
            logs = {**logs, **old}
        return function(self, epoch, logs)

    return on_epoch_end


class _BatchLogs(dict):
    """Logs of a batch, which have `accuracy` also as `acc`, without listing it twice."""

    def __missing__(self, name):
        if isinstance(name, str) and name.split("_")[-1] == "acc":
            note(name)
            return dict.__getitem__(self, f"{name}uracy")
        raise KeyError(name)

    def __contains__(self, name):
        return super().__contains__(name) or (
            str(name).split("_")[-1] == "acc" and super().__contains__(f"{name}uracy")
        )

    def get(self, name, default=None):
        try:
            return self[name]
        except KeyError:
            return default


def _answering_to_old_names(function):
    """Let callbacks find `acc` in the logs of batches; a progress bar would take it for a sum."""

    @functools.wraps(function)
    def call(self, mode, hook, batch, logs=None):
        if type(logs) is dict:
            logs = _BatchLogs(logs)
        return function(self, mode, hook, batch, logs)

    return call


def _silent(predict):
    """Show no progress of predictions unless asked for: scripts print among many of them."""

    @functools.wraps(predict)
    def call(self, x, batch_size=None, verbose=0, *args, **kwargs):
        return predict(self, x, batch_size, verbose, *args, **kwargs)

    return call


def _as_h5(function):
    """Save as `.h5` whatever the file is called, as Keras did before it was part of TensorFlow."""

    @functools.wraps(function)
    def save(*args, **kwargs):  # the model, the path and so on
        name = str(kwargs["filepath"] if "filepath" in kwargs else args[1])
        if modes.is_keras_imported() and not name.endswith((".h5", ".hdf5", ".keras")):
            note("files in the format .h5 whatever their names")
            kwargs.setdefault("save_format", "h5")
        return function(*args, **kwargs)

    return save


def _naming_custom_objects(load):
    """Let errors about a folder with layers of this package say what loads it."""

    @functools.wraps(load)
    def call(*args, **kwargs):
        try:
            return load(*args, **kwargs)
        except ValueError as error:
            if "matching concrete function" not in str(error):
                raise
            raise ValueError(
                f"{error}\n\nA model with layers of keras_bert is loaded by "
                "load_model(folder, custom_objects=keras_bert.get_custom_objects())."
            ) from error

    return call


def _naming_old_rule(batch_dot):
    """Say of more than three axes that Keras 2.2 multiplied other parts than Keras 2.3 does."""

    @functools.wraps(batch_dot)
    def call(x, y, axes=None):
        if max(backend.ndim(x), backend.ndim(y)) <= 3:
            return batch_dot(x, y, axes)
        note("K.batch_dot of more than 3 axes by the rule of Keras 2.3")
        try:
            return batch_dot(x, y, axes)
        except ValueError as error:
            raise ValueError(
                f"{error} Until Keras 2.2.4, K.batch_dot of more than 3 axes was tf.matmul, which "
                "pairs all but the last two; since Keras 2.3 it pairs the first alone. If the "
                "script is older, write tf.einsum('bij,bijk->bik', x, y) or what its axes mean."
            ) from error

    return call


def _counted_from_1(function):
    """Name a first layer `dense_1`, as Keras did, and not `dense`, as TensorFlow's does."""

    @functools.wraps(function)
    def unique_object_name(*args, zero_based=False, **kwargs):
        zero_based = zero_based and not modes.is_keras_imported()
        return function(*args, zero_based=zero_based, **kwargs)

    return unique_object_name


def _taking_lists(function):
    """Let a generator yield `([x1, x2], None)`, which Keras 2 takes for an input and its target."""

    @functools.wraps(function)
    def pack(x, y=None, sample_weight=None):
        if y is None and isinstance(x, list):
            note("generators of lists without targets")
            x = tuple(x)
        return function(x, y, sample_weight)

    return pack


def _with_accuracy_of_loss(compile):
    """Let the loss tell what `accuracy` is, as batches of generators leave shapes open."""

    @functools.wraps(compile)
    def call(self, optimizer="rmsprop", loss=None, metrics=None, *args, **kwargs):
        name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
        if name in _SPARSE_LOSSES and isinstance(metrics, (list, tuple)):
            metrics = [_accuracy_of_ids(m) if m in ("accuracy", "acc") else m for m in metrics]
        return compile(self, optimizer, loss, metrics, *args, **kwargs)

    return call


def _taking_functions(compile):
    """Let methods, and names of `tf.losses` and `tf.metrics`, be losses and metrics in graph mode.

    Which sets an attribute of each function; TensorFlow 1's are no functions for `compile`.
    """

    @functools.wraps(compile)
    def call(self, optimizer="rmsprop", loss=None, metrics=None, *args, **kwargs):
        loss = tf.nest.map_structure(keras_function, loss)
        metrics = tf.nest.map_structure(_as_function, metrics)
        if "weighted_metrics" in kwargs:
            kwargs["weighted_metrics"] = tf.nest.map_structure(
                _as_function, kwargs["weighted_metrics"]
            )
        return compile(self, optimizer, loss, metrics, *args, **kwargs)

    return call


def _as_function(metric):
    if not isinstance(metric, MethodType):
        return keras_function(metric)
    return functools.wraps(metric)(lambda y_true, y_pred: metric(y_true, y_pred))


def _accuracy_of_ids(name):
    return keras.metrics.MeanMetricWrapper(keras.metrics.sparse_categorical_accuracy, name=name)


def _with_open_shapes(matches):
    """Let ids (B, 1) be compared with predictions where a generator leaves their shape open."""

    @functools.wraps(matches)
    def call(y_true, y_pred):
        y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        if y_true.shape.rank == y_pred.shape.rank and y_true.shape[-1] is None:
            y_true = tf.reshape(y_true, tf.shape(y_pred)[:-1])
        return matches(y_true, y_pred)

    return call
