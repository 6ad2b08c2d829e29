"""What attention and feed-forward layers on Keras 3 share: dense sub-layers and their options."""

from __future__ import annotations

from .. import activations
from ..backend import activations as keras_activations
from ..backend import constraints, initializers, keras, layers, regularizers, reshape

# How many arguments of `ProjectionLayer` follow the activation by position.
OPTION_NUM = 7


class ProjectionLayer(layers.Layer):
    """A layer made of Dense sub-layers, so that `enable_lora` and `quantize` reach their kernels.

    Their attributes' names stand in `sub_layer_attributes`.

    Args:
        activation: Activation of the dense sub-layers; "gelu" is the tanh form.
        use_bias: Whether they have a bias.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        lora: By name, the arguments "rank" and "lora_alpha" with which to call `enable_lora` of
            dense sub-layers. Files have it.
        **kwargs: Arguments of `keras.layers.Layer`.
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
        dense = layers.Dense(
            units,
            activation=activation,
            use_bias=self.use_bias,
            # A clone each: one initializer object would give every kernel the same values.
            kernel_initializer=_clone(self.kernel_initializer),
            bias_initializer=_clone(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self._policy_of(name),
            trainable=self.trainable,  # a layer from a file may be frozen before it is built
            name=name,
        )
        dense.build(input_shape)
        if name in self._lora_of_file:
            dense.enable_lora(**self._lora_of_file[name])
        return dense

    def enable_lora(self, rank, **kwargs):
        """Freeze the kernels and train a product of two small matrices beside each of them.

        Args:
            rank: Rank of the products.
            **kwargs: Further arguments of `keras.layers.Dense.enable_lora`.

        Reference:
            Hu et al., LoRA, https://arxiv.org/abs/2106.09685
        """
        for dense in self._sub_layers().values():
            dense.enable_lora(rank, **kwargs)

    def _sub_layers(self):
        """The dense sub-layers by name; none before `build`."""
        found = (getattr(self, name, None) for name in self.sub_layer_attributes)
        return {dense.name: dense for dense in found if dense is not None}

    def _policy_of(self, name):
        """The dtype policy for a sub-layer: its own where a file says that it is quantized."""
        policy = self.dtype_policy
        return policy[name] if isinstance(policy, keras.dtype_policies.DTypePolicyMap) else policy

    def _stored_policy(self):
        """The dtype policy and, by name, those of quantized sub-layers, which files must tell."""
        policy = self.dtype_policy
        quantized = {
            name: dense.dtype_policy
            for name, dense in self._sub_layers().items()
            if dense.dtype_policy.quantization_mode is not None
        }
        if isinstance(policy, keras.dtype_policies.DTypePolicyMap):
            policy = policy.default_policy
        return keras.dtype_policies.DTypePolicyMap(policy, quantized) if quantized else policy

    def _lora(self):
        """By name, the LoRA of sub-layers that have one."""
        return self._lora_of_file | {
            name: {"rank": dense.lora_rank, "lora_alpha": dense.lora_alpha}
            for name, dense in self._sub_layers().items()
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
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def as_rows(features):
    """Features (B, …, D) as a matrix (B·…, D).

    XLA on a CPU needs twice the time for the gradient of a product with a kernel, and more in a
    feed-forward layer, where the features have three axes.
    """
    return reshape(features, (-1, features.shape[-1]))


def _clone(initializer):
    return initializer.clone() if hasattr(initializer, "clone") else initializer
