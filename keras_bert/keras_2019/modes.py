"""Graph mode, which TensorFlow 1 and Keras knew alone, or eager execution."""

import tensorflow as tf
from tf_keras.src import backend as keras_backend

_chosen = False
_of_keras_itself = False


def choose(graph: bool | None) -> None:
    """Go into graph mode, stay out of it, or leave it to what the program imports."""
    global _chosen
    if graph is not None:
        _chosen = True
    if graph:
        tf.compat.v1.disable_eager_execution()
        # Else TensorFlow cannot compute gradients of a loop whose outputs are in a graph already.
        tf.compat.v1.experimental.output_all_intermediates(True)


def of_tensorflow_1() -> None:
    """Do as TensorFlow 1 did: the program asks for what only graph mode has.

    Unless it has layers already, which graph mode could not use.
    """
    if not _chosen and not any(keras_backend.PER_GRAPH_OBJECT_NAME_UIDS.values()):
        choose(True)


def of_keras() -> None:
    """Do as Keras did before it became part of TensorFlow: the program imports `keras`."""
    global _of_keras_itself
    _of_keras_itself = True
    of_tensorflow_1()


def of_keras_itself() -> bool:
    """Whether the program has imported `keras`."""
    return _of_keras_itself


def in_graph_mode() -> bool:
    """Whether TensorFlow is in graph mode."""
    return not tf.compat.v1.executing_eagerly_outside_functions()
