"""What attention and feed-forward layers share: on Keras 3, dense sub-layers and their options."""

from .. import activations
from ..backend import activations as keras_activations
from ..backend import (
    constraints,
    copy_initializer,
    initializers,
    keras,
    layers,
    regularizers,
    reshape,
    static_shape,
)
from .initializer import keras_own

# How many arguments of `ProjectionLayer` follow the activation by position.
OPTION_NUM = 7


class NeededLen:
    """Mixin for layers that may leave masked positions out, because nobody reads them.

    Attributes:
        needed_len: How many of the first positions are read even where they are masked. Features at
            the other masked positions may come out as 0. None: all are read. `get_model` sets it
            where `output_len` allows it; it is not saved.
    """

    needed_len: int | None = None

    @classmethod
    def from_config(cls, config):
        # Files of 1.0.0 contain it; it is no argument any more.
        return super().from_config({key: config[key] for key in config if key != "needed_len"})


class ProjectionLayer(layers.Layer):
    """A layer made of Dense sub-layers, so that `enable_lora` and `quantize` reach their kernels.

    The names of their attributes are in `sub_layer_attributes`. Arguments are those of
    `keras.layers.Dense`, without `units`; `lora` comes from files: for each sub-layer by name, the
    arguments "rank" and "lora_alpha" of its `enable_lora`.
    """

    def __init__(
        self,
        activation,
        use_bias=True,
        kernel_initializer="glorot_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        *,
        lora=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._lora_of_file = lora or {}
        self.supports_masking = True
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _dense(self, name, units, input_shape, activation=None):
        """A built Dense sub-layer with this layer's options."""
        policy = self.dtype_policy
        if isinstance(policy, keras.dtype_policies.DTypePolicyMap):
            policy = policy[name]  # a file may hold this one quantized
        dense = layers.Dense(
            units,
            activation=activation,
            use_bias=self.use_bias,
            kernel_initializer=copy_initializer(self.kernel_initializer),
            bias_initializer=copy_initializer(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=policy,
            trainable=self.trainable,  # a layer from a file may be frozen before it is built
            name=name,
        )
        dense.build(input_shape)
        if name in self._lora_of_file:
            dense.enable_lora(**self._lora_of_file[name])
        return dense

    def enable_lora(self, rank, **kwargs):
        """Freeze the kernels and train a product of two small matrices beside each of them.

        Arguments are those of `keras.layers.Dense.enable_lora`.

        Reference:
            Hu et al., LoRA, https://arxiv.org/abs/2106.09685
        """
        for dense in self.dense_layers().values():
            dense.enable_lora(rank, **kwargs)

    def dense_layers(self):
        """The dense sub-layers by name; none before `build`."""
        found = (getattr(self, name, None) for name in self.sub_layer_attributes)
        return {dense.name: dense for dense in found if dense is not None}

    def _stored_policy(self):
        """The dtype policy and, by name, those of quantized sub-layers, which files must tell."""
        policy = self.dtype_policy
        quantized = {
            name: dense.dtype_policy
            for name, dense in self.dense_layers().items()
            if dense.dtype_policy.quantization_mode is not None
        }
        if isinstance(policy, keras.dtype_policies.DTypePolicyMap):
            policy = policy.default_policy
        return keras.dtype_policies.DTypePolicyMap(policy, quantized) if quantized else policy

    def _lora(self):
        """By name, the LoRA of sub-layers that have one."""
        return self._lora_of_file | {
            name: {"rank": dense.lora_rank, "lora_alpha": dense.lora_alpha}
            for name, dense in self.dense_layers().items()
            if dense.lora_enabled
        }

    def get_config(self):
        lora = self._lora()
        return {
            **super().get_config(),
            **({"lora": lora} if lora else {}),
            "dtype": keras.dtype_policies.serialize(self._stored_policy()),
            "activation": keras_activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(keras_own(self.kernel_initializer)),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def as_rows(features):
    """Features (B, …, D) as a matrix (B·…, D).

    With three axes, XLA on a CPU takes twice the time for the gradient of a product with a kernel,
    and more in a feed-forward layer.
    """
    return reshape(features, (-1, static_shape(features)[-1]))
