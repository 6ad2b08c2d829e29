"""Graph mode, which TensorFlow 1 and Keras knew alone, or eager execution."""

import functools

import tensorflow as tf
from tf_keras.src.engine.base_layer import Layer
from tf_keras.src.utils import version_utils

_chosen = False
_is_keras_imported = False
_has_eager_layers = False


def install() -> None:
    """Know of layers that are built eagerly, and let errors about them say how not to."""
    Layer._init_set_name = _noting_layers(Layer._init_set_name)
    version_utils.disallow_legacy_graph = _naming_graph(version_utils.disallow_legacy_graph)


def choose(graph: bool | None) -> None:
    """Go into graph mode, stay out of it, or leave it to what the program imports."""
    global _chosen
    if graph is not None:
        _chosen = True
    if graph:
        tf.compat.v1.disable_eager_execution()
        # Else TensorFlow cannot compute gradients of a loop whose outputs are in a graph already.
        tf.compat.v1.experimental.output_all_intermediates(True)


def enter_graph_mode() -> None:
    """Do as TensorFlow 1 did: the program asks for what only graph mode has.

    Unless it has layers already, which graph mode could not use.
    """
    if not _chosen and not _has_eager_layers:
        choose(True)


def begin_as_keras() -> None:
    """Do as Keras did before it became part of TensorFlow: the program imports `keras`."""
    global _is_keras_imported
    _is_keras_imported = True
    enter_graph_mode()


def is_keras_imported() -> bool:
    """Whether the program has imported `keras`."""
    return _is_keras_imported


def in_graph_mode() -> bool:
    """Whether TensorFlow is in graph mode."""
    return not tf.compat.v1.executing_eagerly_outside_functions()


def _noting_layers(init_set_name):
    """Note each layer that graph mode cannot use; those of graph mode have another class."""

    @functools.wraps(init_set_name)
    def call(layer, *args, **kwargs):
        global _has_eager_layers
        _has_eager_layers = True
        return init_set_name(layer, *args, **kwargs)

    return call


def _naming_graph(disallow_legacy_graph):
    @functools.wraps(disallow_legacy_graph)
    def call(*args):
        try:
            return disallow_legacy_graph(*args)
        except ValueError as error:
            raise ValueError(f"{error} The whole program is in graph mode with --graph.") from None

    return call
