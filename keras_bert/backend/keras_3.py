"""What Keras 3 does otherwise than Keras 2, on every engine; `keras_2` has the same names."""

import contextlib
import inspect

from . import private
from .parts import initializers, keras, models, ops, optimizers
from .plain import precision_of
from .private import mask_of as mask_of

# Arguments of `add_weight` for an embedding table. Keras would otherwise cast the whole table at
# every call under a 16-bit policy, and sum up the gradient of a frequent row in 16 bits, where it
# stops growing after a few hundred occurrences. The rows that are read are cast instead.
TABLE_OPTIONS = {"autocast": False}

# What configurations of optimizers that the other Keras saved say and this one does not know.
FOREIGN_OPTIMIZER_SETTINGS = {"jit_compile": [True, False], "is_legacy_optimizer": [True, False]}


def serializable(cls):
    """Register a class or function as `keras_bert>…`, the name by which saved files know it."""
    return keras.saving.register_keras_serializable(package="keras_bert")(cls)


registered = serializable


def unconverted(cls):
    """A layer class whose `call` TensorFlow does not rewrite."""
    return cls


class MaskArgument:
    """Mixin for layers whose `call` takes a `mask`.

    Keras finds the mask on the input at every call. Where `mask` is not passed, Keras 3 also writes
    the mask it found into the functional graph, as an operation such as `NotEqual`, which `.h5`
    files cannot hold. An explicit `mask=None` prevents that and changes nothing else.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._takes_mask = "mask" in inspect.signature(cls.call).parameters

    def __call__(self, inputs, mask=None, **kwargs):
        if mask is not None or self._takes_mask:
            kwargs["mask"] = mask
        return super().__call__(inputs, **kwargs)


def static_shape(tensor) -> tuple:
    """The shape of a tensor as ints, with None for what is not known."""
    return tuple(tensor.shape)


def weight_path(variable) -> str | None:
    """Where in a model a weight is, as "layer/sub-layer/kernel"."""
    return variable.path


def forms_of(variable) -> tuple:
    """A variable, and what the engine knows it by."""
    return variable, variable.value


def copy_initializer(initializer):
    """A copy, as one initializer gives several weights the same values; functions draw anew."""
    is_object = isinstance(initializer, initializers.Initializer)
    return initializer.clone() if is_object else initializer


def is_quantized(layer) -> bool:
    """Whether a layer has weights of a few bits."""
    return getattr(layer, "quantization_mode", None) is not None


def check_values_stay() -> None:
    """Refuse to set variables in a `keras.StatelessScope`, at whose end they are as before."""
    try:
        keras.Variable(0.0, name="probe")
    except ValueError as error:
        raise RuntimeError(
            "Weights cannot be loaded in a keras.StatelessScope, or in a function that Keras calls "
            "in one: they would be lost at its end. Load the model before."
        ) from error


def check_has_layouts() -> None:
    """Keras 3 can divide weights among devices."""


def naming_weights(layer):
    """A context in which a layer that is built before it is called names its weights as usual."""
    return contextlib.nullcontext()


def operations(model) -> list:
    """All nodes of a functional model: layers, and operations such as `features * 2`."""
    return model.operations


def first_input(layer):
    """The tensor that a layer was first called on; later calls come from nesting its model."""
    return layer.input


def calls(model, kind) -> list:
    """The calls of a model's layers of a kind, in order: the layer, and what it is called on."""
    nodes = private.nodes(model)
    if nodes is None:
        return [(layer, first_input(layer)) for layer in model.layers if isinstance(layer, kind)]
    return [
        (node.operation, node.arguments.args[0])
        for node in nodes
        if isinstance(node.operation, kind)
    ]


def copy_on_inputs(model, inputs, custom_objects):
    """A functional model on a list of other `Input` tensors, made of the same layers."""
    return models.clone_model(model, input_tensors=inputs, clone_function=lambda layer: layer)


def renew_weights(copy, model) -> None:
    """Give a model of `copy_on_inputs` the weights that the original has by now."""


class Optimizer(optimizers.Optimizer):
    """Keras' base class of optimizers, as AdamWarmup sees it."""

    def apply(self, grads, trainable_variables=None):
        # The base class divides, clips and accumulates what it is given.
        grads = list(map(self._dense_gradient, grads))
        with self._hiding_weight_decay():
            super().apply(grads, trainable_variables)

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        # AdamWarmup is built with the first variables that it gets, and there may be none.
        if not trainable_variables:
            return [], list(map(ops.convert_to_tensor, optimizer_variables))
        return super().stateless_apply(optimizer_variables, grads, trainable_variables)

    def _index(self, variable) -> int:
        """The position of a variable among those that the optimizer was built with."""
        return private.variable_index(self, variable)

    def _learning_rate_to_save(self) -> dict:
        """What the base class leaves out of the configuration."""
        return {}

    def _complete(self, weights: list) -> list:
        """Saved weights with the learning rate, which files of Keras 2 lack."""
        if len(weights) == len(self.variables) - 1:
            weights.insert(1, self.learning_rate.numpy())
        return weights


def loss_options() -> dict:
    """Arguments for a loss that takes whole numbers as they are.

    Keras 3 converts labels to the loss' type, by default `floatx`, and 16 bits round label ids.
    """
    return {"dtype": precision_of(keras.config.floatx())}


def masked_mean(mean, y_true, y_pred, sample_weight):
    """A loss, averaged over the positions that the Keras mask of the predictions leaves.

    It is a scalar, and 0 where the mask leaves nothing. `mean` computes it as Keras does, of the
    other three arguments.
    """
    return mean(y_true, y_pred, sample_weight)


def check_written_by(name: str, written_by_keras_3: bool, for_h5: bool) -> bool:
    """Refuse a model's configuration, of an `.h5` file or another, that this Keras cannot read.

    Returns:
        Whether it needs changes before it is read.
    """
    if not for_h5 and not written_by_keras_3:
        raise ValueError(
            f"Model '{name}' was written by Keras 2 (tf_keras) as a .keras file or JSON, or inside "
            "a TimeDistributed or Sequential model, which Keras 3 cannot read. Load it with "
            "TF_KERAS=1 and save it by `model.save('model.h5')`, which Keras 3 loads; a model in "
            "such a layer has to be built again by code, for `model.load_weights('model.h5')`."
        )
    return not written_by_keras_3
