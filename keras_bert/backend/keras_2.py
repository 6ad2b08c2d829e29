"""What Keras 2 does otherwise than Keras 3; the same names as in `keras_3`. TensorFlow computes."""

from __future__ import annotations

import inspect

import tensorflow as tf
from tensorflow.python.util.tf_export import keras_export

# From where they are made: scripts put the old optimizers in the place of the names in
# `tensorflow.keras.optimizers`.
from tf_keras.src.activations import _TF_ACTIVATIONS_V2 as NAMES_OF_ACTIVATIONS
from tf_keras.src.backend import track_variable
from tf_keras.src.optimizers.optimizer import Optimizer as NewOptimizer
from tf_keras.src.optimizers.optimizer_v1 import Optimizer as OptimizerOfGraphs

from . import private
from .kept import is_patched
from .parts import backend, keras, models, utils
from .plain import Predictor
from .tensorflow.prediction import traced_predictor

TABLE_OPTIONS: dict = {}

FOREIGN_OPTIMIZER_SETTINGS = {"loss_scale_factor": [None], "gradient_accumulation_steps": [None]}


def serializable(found):
    """Have Keras find a class or function where it copies a model, without custom objects.

    `.h5` files keep the plain class names that keras-bert 0.8x wrote and read, of which Keras has
    some itself: it would read "MultiHeadAttention" as its own. Copies, pickles, JSON and `.keras`
    files have a name for parts of Keras' interface, of which this makes one more, `keras_bert>…`.
    """
    if not inspect.isclass(found):  # an activation; Keras could not read others in `.h5` files
        utils.get_custom_objects()[found.__name__] = found
        NAMES_OF_ACTIVATIONS[found.__name__] = found.__name__
        return found
    name = f"keras_bert>{found.__name__}"
    utils.get_custom_objects()[name] = found
    return keras_export(f"keras.{name}")(found)


# For what no file of 0.8x holds, which so needs no plain name: another class may have that.
registered = keras.utils.register_keras_serializable(package="keras_bert")


def unconverted(cls):
    """Keep TensorFlow from rewriting a layer's `call`, half of the time a model takes to load.

    Keras 2 has AutoGraph turn Python's `if` and `for` into operations, for conditions that depend
    on tensors. This package's layers have none.
    """
    call = tf.autograph.experimental.do_not_convert(cls.call)
    call.__signature__ = inspect.signature(cls.call)  # by which Keras knows its arguments
    cls.call = call
    return cls


class MaskArgument:
    """Nothing: graphs of Keras 2 hold no masks, and `mask=None` would mean that there is none."""


def static_shape(tensor) -> tuple:
    """The shape of a tensor as ints, with None for what is not known."""
    return backend.int_shape(tensor)


def weight_path(variable) -> str | None:
    """Nothing: here variables have the names that keras-bert 0.89 gave them."""


def forms_of(variable) -> tuple:
    """A variable, and what the engine knows it by."""
    return (variable,)


def copy_initializer(initializer):
    """The initializer itself: here each weight gets values of its own."""
    return initializer


def is_quantized(layer) -> bool:
    """No: Keras 2 does not quantize."""
    return False


def set_values(pairs) -> None:
    """Give variables values now; in graph mode all at once, in the session that Keras uses.

    There every call of a session takes longer, the more operations the graph has got since.
    """
    with tf.init_scope():
        if tf.executing_eagerly():
            for variable, values in pairs:
                backend.set_value(variable, values)
        else:
            backend.batch_set_value(list(pairs))


def check_values_stay() -> None:
    """Nothing: Keras 2 has no scopes that forget what is assigned."""


def check_has_layouts() -> None:
    """Refuse to divide weights among devices."""
    raise NotImplementedError(
        "`layout_map` is for `keras.distribution`, which Keras 2 does not have. Unset TF_KERAS or "
        "train under a strategy of `tf.distribute`, which copies weights to all devices."
    )


def naming_weights(layer):
    """A context in which a layer that is built before it is called names its weights as usual."""
    return backend.name_scope(layer.name)


def operations(model) -> list:
    """All nodes of a functional model."""
    return model.layers


def first_input(layer):
    """The tensor that a layer was first called on."""
    return layer.get_input_at(0)


def calls(model, kind) -> list:
    """The calls of a model's layers of a kind, in order: the layer, and what it is called on."""
    nodes = [node for node in private.nodes(model) or () if isinstance(node.layer, kind)]
    return [(node.layer, node.input_tensors) for node in nodes]


def copy_on_inputs(model, inputs, custom_objects):
    """The same, of copies of the layers: one that is called twice no longer has an `output`."""
    with utils.custom_object_scope(custom_objects):
        return models.clone_model(model, input_tensors=inputs)


def renew_weights(copy, model) -> None:
    """Give a model of `copy_on_inputs` the weights that the original has by now."""
    copy.set_weights(model.get_weights())


def predictor(model, of_known_layers: bool) -> Predictor:
    """A function traced once, for all shapes that the model takes.

    Keras 2 itself builds a data set of every batch, whose end it often waits for.
    """
    if (
        isinstance(model, models.Model)
        and type(model).predict_on_batch is models.Model.predict_on_batch
        and not is_patched(model)
        and tf.executing_eagerly()
        and not model.run_eagerly
        and model.distribute_strategy.num_replicas_in_sync == 1
    ):
        return traced_predictor(model)
    return Predictor(model.predict_on_batch)


class Optimizer(NewOptimizer):
    """Keras' base class of optimizers, as AdamWarmup sees it."""

    def __new__(cls, *args, **kwargs):
        """Choose the class by TensorFlow's mode, as Keras 2 does for layers and models.

        Without TensorFlow 2's behaviour, Keras converts every optimizer that is not of the old
        kinds to one of its own old ones.
        """
        if not tf.__internal__.tf2.enabled() and not issubclass(cls, OptimizerOfGraphs):
            cls = type(cls.__name__, (cls, OptimizerOfGraphs), {"__module__": cls.__module__})
        return super().__new__(cls)

    def __init__(self, learning_rate, name, **kwargs):
        super().__init__(name=name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self._initialize(self.iterations)
        self._initialize(self._learning_rate)

    def _initialize(self, variable):
        """Have Keras initialize a variable in graph mode, where it does so for a model's alone."""
        if not tf.compat.v1.executing_eagerly_outside_functions():
            track_variable(variable)

    def add_variable_from_reference(self, *args, **kwargs):
        variable = super().add_variable_from_reference(*args, **kwargs)
        self._initialize(variable)
        return variable

    @NewOptimizer.learning_rate.setter
    def learning_rate(self, value):
        if tf.compat.v1.executing_eagerly_outside_functions():
            NewOptimizer.learning_rate.fset(self, value)
        else:
            set_values([(self._learning_rate, value)])

    def set_weights(self, weights):
        set_values(zip(self.variables, weights, strict=True))

    def apply_gradients(self, grads_and_vars, *args, **kwargs):
        dense = [(self._dense_gradient(gradient), each) for gradient, each in grads_and_vars]
        with self._hiding_weight_decay():
            return super().apply_gradients(dense, *args, **kwargs)

    def get_updates(self, loss, params):
        """The operations of a training step, for which Keras 2 asks in graph mode."""
        gradients = tf.gradients(loss, params)
        self.build(params)

        @tf.function  # in which one operation waits for the other
        def apply(*gradients):
            self.apply_gradients(zip(gradients, params, strict=True))
            return tf.identity(self.iterations)

        return [apply(*map(self._dense_gradient, gradients))]

    def _index(self, variable) -> int:
        return self._index_dict[self._var_key(variable)]

    def _learning_rate_to_save(self) -> dict:
        return {"learning_rate": float(backend.get_value(self.learning_rate))}

    def _complete(self, weights: list) -> list:
        return weights


def mask_of(tensor):
    """The mask that Keras has put on a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def loss_options() -> dict:
    """No arguments: here losses take labels as they are."""
    return {}


def masked_mean(mean, y_true, y_pred, sample_weight):
    """A loss, averaged over the positions that the mask leaves; Keras 2 would divide 0 by 0."""
    mask = mask_of(y_pred)
    if mask is None:
        return mean(y_true, y_pred, sample_weight)
    any_left = tf.reduce_any(mask)
    y_pred = tf.identity(y_pred)  # a tensor of our own to put another mask on
    y_pred._keras_mask = tf.logical_or(mask, tf.logical_not(any_left))
    loss = mean(y_true, y_pred, sample_weight)
    return tf.where(any_left, loss, tf.zeros_like(loss))


def check_written_by(name: str, written_by_keras_3: bool, for_h5: bool) -> bool:
    """Refuse a model's configuration that Keras 2 cannot read; the others need no changes."""
    if written_by_keras_3:
        raise ValueError(
            f"Model '{name}' was written by Keras 3, whose configurations Keras 2 (TF_KERAS=1) "
            "cannot read. Unset TF_KERAS; or, on Keras 3, save it by `model.save('model.h5')`, "
            "then build the same model here and call `model.load_weights('model.h5')`."
        )
    return False
