"""TensorFlow 1's names in TensorFlow 2: `tf.Session`, `tf.train.AdamOptimizer`, `tf.contrib`."""

import functools
import importlib.util
import inspect
import sys
from types import FunctionType, ModuleType

import tensorflow as tf
from tensorflow.python.framework import graph_util

from ..backend import keras
from . import modes
from .graph_names import GRAPH_NAMES
from .modules import OldModule, add_module
from .report import note

_OLD = tf.compat.v1
_CELLS = ("BasicLSTMCell", "BasicRNNCell", "DropoutWrapper", "GRUCell", "LSTMCell", "MultiRNNCell")
_CRF = ("crf_decode", "crf_log_likelihood", "crf_sequence_score", "viterbi_decode")
# Names of tf.contrib, to where TensorFlow has them today, or this package in their stead.
_CONTRIB = {
    "crf": {name: f"{__package__}.tensorflow_crf:{name}" for name in _CRF},
    "layers": {
        "xavier_initializer": "keras.initializers.GlorotUniform",
        "variance_scaling_initializer": "keras.initializers.VarianceScaling",
        "l1_regularizer": "keras.regularizers.L1",
        "l2_regularizer": "keras.regularizers.L2",
    },
    "rnn": {
        **{name: f"compat.v1.nn.rnn_cell.{name}" for name in (*_CELLS, "ResidualWrapper")},
        "static_rnn": "compat.v1.nn.static_rnn",
    },
    "data": {
        "AUTOTUNE": "data.AUTOTUNE",
        "map_and_batch": "data.experimental.map_and_batch",
        "parallel_interleave": "data.experimental.parallel_interleave",
    },
    "cluster_resolver": {
        "TPUClusterResolver": "distribute.cluster_resolver.TPUClusterResolver",
    },
    "distribute": {
        "MirroredStrategy": "distribute.MirroredStrategy",
        "OneDeviceStrategy": "distribute.OneDeviceStrategy",
        "TPUStrategy": "distribute.TPUStrategy",
        "initialize_tpu_system": "tpu.experimental.initialize_tpu_system",
    },
    "framework": {
        "nest": "nest",
        "get_or_create_global_step": "compat.v1.train.get_or_create_global_step",
        "list_variables": "train.list_variables",
        "load_variable": "train.load_variable",
    },
    "lookup": {"HashTable": "lookup.StaticHashTable"},
}
_TPU_INSTEAD = "tf.distribute.TPUStrategy: build and compile the model in its scope()"
_INSTEAD = {
    "cluster_resolver": "tf.distribute.cluster_resolver",
    "distribute": "tf.distribute",
    "tpu": _TPU_INSTEAD,
    "tpu.python": _TPU_INSTEAD,
    "tpu.python.tpu": _TPU_INSTEAD,
    "crf": "keras_bert.layers.CRF",
    "opt": "keras_bert.AdamWarmup, which has weight decay, or keras.optimizers",
    "cudnn_rnn": "keras.layers.CuDNNLSTM and CuDNNGRU",
    "seq2seq": "keras.layers.Attention and AdditiveAttention",
    "training": "plain Python: HParams was a dictionary with attributes",
    "predictor": "tf.saved_model.load",
    "learn": "tf.data and keras",
    "slim": "the package tf_slim",
    "eager": "tf.GradientTape and tf.function",
}


def install() -> None:
    """Let TensorFlow have its old names for scripts that ask for one."""
    _add_old_names(tf, _OLD, "tf")
    public = [name for name in vars(tf) if not name.startswith("_")]
    for name in set(public) - {"compat", "keras"}:
        module = vars(tf)[name]
        if type(module) is ModuleType and hasattr(_OLD, name):
            _add_old_names(module, getattr(_OLD, name), f"tf.{name}")
    for name in ("losses", "metrics"):
        setattr(tf, name, _KerasOrOld(f"tensorflow.{name}"))
    _OLD.Session.run = _returning_values(_OLD.Session.run)
    tf.TensorShape.__getitem__ = _with_value(tf.TensorShape.__getitem__)
    tf.TensorShape.__iter__ = _with_values(tf.TensorShape.__iter__)
    for name in ("make_one_shot_iterator", "make_initializable_iterator"):
        setattr(tf.data.Dataset, name, _dataset_method(name))
    _add_modules_of_ops()
    for name in ("convert_variables_to_constants", "extract_sub_graph", "remove_training_nodes"):
        setattr(graph_util, name, getattr(_OLD.graph_util, name))
    tf.nn.dropout = _with_clear_rate(tf.nn.dropout)
    add_module(OldModule("tensorflow.contrib", names={"keras": "tensorflow:keras"}))
    add_module(OldModule("tensorflow.contrib.keras", ["tensorflow.keras"]))
    for name in sorted({*_CONTRIB, *_INSTEAD}):
        names = {
            key: path if ":" in path else f"tensorflow:{path}"
            for key, path in _CONTRIB.get(name, {}).items()
        }
        instead = _INSTEAD.get(name, "")
        add_module(OldModule(f"tensorflow.contrib.{name}", names=names, instead=instead))


def _add_old_names(module, old, name: str) -> None:
    """Let a module of TensorFlow 2 have what its counterpart in TensorFlow 1 had besides."""

    def __getattr__(attribute):
        if attribute.startswith("__") or not hasattr(old, attribute):
            raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
        note(f"{name}.{attribute}")
        if attribute in GRAPH_NAMES:
            modes.enter_graph_mode()
        return getattr(old, attribute)

    module.__getattr__ = __getattr__
    for attribute, function in list(vars(module).items()):
        before = getattr(old, attribute, None)
        if isinstance(function, FunctionType) and isinstance(before, FunctionType):
            setattr(
                module, attribute, _taking_old_arguments(function, before, f"{name}.{attribute}")
            )


def _taking_old_arguments(function, old, name: str):
    """Let a function take arguments that it has lost: a call with one goes to the old function."""
    old_only = _arguments(old) - _arguments(function)
    if function is old or not old_only:
        return function

    @functools.wraps(function)
    def call(*args, **kwargs):
        if not old_only.isdisjoint(kwargs):
            note(f"{name}({', '.join(sorted(old_only & kwargs.keys()))})")
            return old(*args, **kwargs)
        return function(*args, **kwargs)

    return call


class _KerasOrOld(ModuleType):
    """`tf.losses` or `tf.metrics`: in graph mode TensorFlow 1's names, else those of Keras."""

    def __getattr__(self, attribute):
        name = self.__name__.rpartition(".")[2]
        new, old = getattr(keras, name), getattr(_OLD, name)
        is_old = hasattr(old, attribute) and not attribute.startswith("__")
        if not is_old or attribute == "Reduction":  # Keras' losses take no other
            return getattr(new, attribute)
        if name == "metrics" and not hasattr(new, attribute):
            _enter_graph_mode_for_metric(attribute)
        path = f"tf.{name}.{attribute}"
        if hasattr(new, attribute) and not modes.in_graph_mode():
            return _taking_old_arguments(getattr(new, attribute), getattr(old, attribute), path)
        note(path)
        return getattr(old, attribute)

    def __dir__(self):
        return dir(getattr(keras, self.__name__.rpartition(".")[2]))


def _enter_graph_mode_for_metric(name: str) -> None:
    """TensorFlow 1's metrics, of a value and its update, are for graph mode alone."""
    modes.enter_graph_mode()
    if not modes.in_graph_mode():
        classes = [each for each in dir(keras.metrics) if each[0].isupper()]
        found = [each for each in classes if each.lower() == name.replace("_", "")]
        raise AttributeError(
            f"tf.metrics.{name} needs graph mode (--graph). "
            f"In its stead: tf.keras.metrics{''.join(f'.{each}' for each in found)}."
        )


def keras_function(function):
    """Keras' function for one of TensorFlow 1's losses or metrics, where it has the same name."""
    for name in ("losses", "metrics"):
        attribute = getattr(function, "__name__", "")
        if attribute and getattr(getattr(_OLD, name), attribute, None) is function:
            return getattr(getattr(keras, name), attribute, function)
    return function


def _returning_values(run):
    """Let sessions return what has been computed already, as initializers are in eager mode."""

    @functools.wraps(run)
    def call(session, fetches, *args, **kwargs):
        each = tf.nest.flatten(fetches)
        if session.graph.version or not all(x is None or hasattr(x, "numpy") for x in each):
            return run(session, fetches, *args, **kwargs)
        note("sessions in eager mode")
        return tf.nest.map_structure(lambda x: None if x is None else x.numpy(), fetches)

    return call


class _Size(int):
    """A size in a shape, which was an object with a `value`; unknown sizes are None."""

    @property
    def value(self) -> int:
        return int(self)


def _with_value(getitem):
    @functools.wraps(getitem)
    def call(shape, key):
        found = getitem(shape, key)
        return _Size(found) if type(found) is int else found

    return call


def _with_values(iterate):
    @functools.wraps(iterate)
    def call(shape):
        return (_Size(size) if type(size) is int else size for size in iterate(shape))

    return call


def _dataset_method(name: str):
    """A method that data sets had, which is a function of TensorFlow 1 today."""

    def method(dataset, *args, **kwargs):
        note(f"{name} of data sets")
        return getattr(_OLD.data, name)(dataset, *args, **kwargs)

    return method


def _add_modules_of_ops() -> None:
    """Let `from tensorflow.python import math_ops` find what is in `tensorflow.python.ops`."""

    def __getattr__(attribute):
        name = f"tensorflow.python.ops.{attribute}"
        if attribute.startswith("__") or not importlib.util.find_spec(name):
            raise AttributeError(f"module 'tensorflow.python' has no attribute {attribute!r}")
        note(f"tensorflow.python.{attribute}")
        return importlib.import_module(name)

    sys.modules["tensorflow.python"].__getattr__ = __getattr__


def _arguments(function) -> set[str]:
    return set(inspect.signature(function).parameters)


def _with_clear_rate(dropout):
    """Refuse a second argument without a name, whose meaning has changed to the opposite."""

    @functools.wraps(dropout)
    def call(x, *args, **kwargs):
        if args and modes.in_graph_mode():
            raise TypeError(
                "The second argument of tf.nn.dropout was the share to keep in TensorFlow 1 and is "
                f"the share to drop in TensorFlow 2: write keep_prob= or rate=. Received: {args[0]}"
            )
        return dropout(x, *args, **kwargs)

    return call
