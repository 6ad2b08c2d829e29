"""Sessions as Keras had them: one for all threads, with all variables, and what they export."""

import functools
import weakref

import tensorflow as tf
from tensorflow.python.saved_model import utils_impl
from tf_keras.src import backend as keras_backend
from tf_keras.src.engine.keras_tensor import KerasTensor

from . import modes


class _SessionOfGraph:
    """Keras' session of a graph, in place of one for each thread, which would know no weights."""

    def __init__(self):
        self._set_last = None

    @property
    def session(self):
        """That of the default graph, or the one set last: clear_session has a new graph already."""
        session = getattr(tf.compat.v1.get_default_graph(), "_keras_session", None)
        if session is None and self._set_last is not None:
            session = self._set_last()
        return session

    @session.setter
    def session(self, session):
        if session is not None:
            session.graph._keras_session = session
            self._set_last = weakref.ref(session)
            return
        before = self.session
        if before is not None:
            before.graph._keras_session = None
        self._set_last = None


def install() -> None:
    """Give them to Keras."""
    keras_backend._SESSION = _SessionOfGraph()
    keras_backend._get_variables = _with_all_variables(keras_backend._get_variables)
    utils_impl.build_tensor_info_internal = _refusing_eager_models(
        utils_impl.build_tensor_info_internal
    )


def get_session(*args):
    """Keras' session."""
    modes.enter_graph_mode()
    return keras_backend.get_session(*args)


def variable(value, *args, **kwargs):
    """A variable of Keras; what it starts with may depend on others, which so have values first."""
    if modes.in_graph_mode() and tf.is_tensor(value) and not tf.inside_function():
        keras_backend.get_session()
    return keras_backend.variable(value, *args, **kwargs)


def _with_all_variables(get_variables):
    """Let Keras initialize all variables of a graph, also those that it has not made itself."""

    @functools.wraps(get_variables)
    def call(graph):
        variables = get_variables(graph)
        variables.update(graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES))
        return variables

    return call


def _refusing_eager_models(build_tensor_info):
    """Refuse to export a model that is in no graph, which would give a file without a model."""

    @functools.wraps(build_tensor_info)
    def call(tensor):
        if isinstance(tensor, KerasTensor):
            raise TypeError(
                "A session exports a model that was built in graph mode (--graph). "
                f"Received: {tensor.name} of a model that was built eagerly"
            )
        return build_tensor_info(tensor)

    return call
