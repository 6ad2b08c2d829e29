"""Attributes of layers and their nodes that scripts of 2018–2021 set or read."""

import functools

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable
from tf_keras.src.engine import base_layer_v1
from tf_keras.src.engine.base_layer import Layer
from tf_keras.src.engine.node import Node

from ..backend import initializers
from . import modes
from .report import note

_AFTER_SHAPE_IN_KERAS_1 = ("initializer", "name", "trainable", "regularizer", "constraint")


def install() -> None:
    """Let layers have their old attributes."""
    for name in ("trainable_weights", "non_trainable_weights"):
        setattr(Layer, name, _settable(name))
    for layer in (Layer, base_layer_v1.Layer):  # the second in graph mode
        layer.get_config = _without_arguments(layer.get_config)
        layer.add_weight = _taking_shape_first(layer.add_weight)
        layer.__setattr__ = _keeping_weights(layer.__setattr__)
    base_layer_v1.Layer.add_metric = _reporting_means(base_layer_v1.Layer.add_metric)
    BaseResourceVariable.__imul__ = _giving_tensors(BaseResourceVariable.__imul__)
    Node.input_tensors = property(_list_of_inputs(Node.input_tensors.fget))
    Node.input_masks = property(_input_masks)


def _settable(name):
    """Let layers set the list of their weights, as many did in `build`."""

    def set_weights(layer, weights):
        note(f"{name} set by layers")
        getattr(layer, f"_{name}")[:] = weights

    return getattr(Layer, name).setter(set_weights)


def _keeping_weights(setattr_):
    """Go on training a weight after a tensor computed from it has taken its attribute.

    苏剑林's `SetLearningRate` does `layer.kernel = layer.kernel * 10`. Keras 2 today would neither
    train the weight nor save it.
    """

    @functools.wraps(setattr_)
    def call(layer, name, value):
        before = vars(layer).get(name)
        is_computed = tf.is_tensor(value) and not isinstance(value, tf.Variable)
        if not (isinstance(before, tf.Variable) and is_computed):
            return setattr_(layer, name, value)
        if isinstance(value, tf.__internal__.EagerTensor):
            # With a tape, as in copies of MAML, gradients go through the tensor.
            is_trained = any(each is before for each in layer._trainable_weights)
            if is_trained and pywrap_tfe.TFE_Py_TapeSetIsEmpty():
                raise TypeError(
                    f"{name} of the layer {layer.name} would be a constant, which is not trained: "
                    "a tensor computed from a weight needs graph mode (--graph)."
                )
            return setattr_(layer, name, value)
        note("weights replaced by tensors")
        kept = list(layer._trainable_weights), list(layer._non_trainable_weights)
        setattr_(layer, name, value)
        layer._trainable_weights[:], layer._non_trainable_weights[:] = kept

    return call


def _giving_tensors(imul):
    """Let `variable *= value` be a tensor in graph mode, as in TensorFlow 1."""

    @functools.wraps(imul)
    def call(variable, value):
        return variable * value if modes.in_graph_mode() else imul(variable, value)

    return call


def _reporting_means(add_metric):
    """Let `add_metric(tensor, name)` report the mean over the batches, as in Keras 2.3."""

    @functools.wraps(add_metric)
    def call(layer, value, *args, **kwargs):
        if args and args[0] not in (None, "mean"):
            kwargs["name"], *args = args
        is_new = layer._get_existing_metric(kwargs.get("name")) is None
        if not args and is_new and not hasattr(value, "_metric_obj"):
            kwargs["aggregation"] = "mean"
        return add_metric(layer, value, *args, **kwargs)

    return call


def _is_initializer(argument, others):
    """Whether the argument after the shape is an initializer, and not a type or a name."""
    if "initializer" in others:
        return False
    if not isinstance(argument, str):
        return callable(argument) and not isinstance(argument, (type, tf.DType))
    try:
        return initializers.get(argument) is not None
    except ValueError:
        return False


def _taking_shape_first(add_weight):
    """Let layers give the shape first, and then an initializer, as in Keras 1, or a name."""

    @functools.wraps(add_weight)
    def call(layer, *args, **kwargs):
        if args and isinstance(args[0], (tuple, list, tf.TensorShape)):
            note("add_weight with the shape first")
            shape, *args = args
            if args and _is_initializer(args[0], kwargs):
                # The order of Keras 1; that of Keras 2 goes on with the type.
                kwargs.update(zip(_AFTER_SHAPE_IN_KERAS_1, args, strict=False))
                args = ()
            elif args and isinstance(args[0], str) and "name" not in kwargs:
                kwargs["name"], *args = args
            return add_weight(layer, kwargs.pop("name", None), shape, *args, **kwargs)
        return add_weight(layer, *args, **kwargs)

    return call


def _without_arguments(get_config):
    """Let layers without a `get_config` of their own be saved, without the arguments they had."""

    @functools.wraps(get_config)
    def call(layer):
        try:
            return get_config(layer)
        except NotImplementedError:
            note("files of layers without get_config")
        config = {"name": layer.name, "trainable": layer.trainable, "dtype": layer.dtype}
        if hasattr(layer, "_batch_input_shape"):
            config["batch_input_shape"] = layer._batch_input_shape
        return config

    return call


def _list_of_inputs(get):
    """Let a node have a list of input tensors even if there is one: copies of the CRF take [0]."""

    def input_tensors(node):
        inputs = get(node)
        return inputs if tf.nest.is_nested(inputs) else [inputs]

    return input_tensors


def _input_masks(node):
    note("input_masks of nodes")
    return [getattr(each, "_keras_mask", None) for each in tf.nest.flatten(node.input_tensors)]
