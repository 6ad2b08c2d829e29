"""The output of a head that judges every token."""

from ..backend import contract, initializers, layers, ops, serializable


@serializable
class TokenProbability(layers.Layer):
    """A probability for every token: `sigmoid(x·w + b)`.

    Weights, in order: kernel w (D, 1), bias b (1,).

    Args:
        kernel_initializer: Initializer of the kernel.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call args:
        inputs: Features (B, T, D).

    Returns:
        Probabilities (B, T), with the features' mask.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import TokenProbability
        >>> tuple(TokenProbability()(np.ones((2, 5, 8), "float32")).shape)
        (2, 5)
    """

    def __init__(self, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], 1), initializer=self.kernel_initializer, name="kernel"
        )
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")
        self.built = True

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[:-1])

    def call(self, inputs):
        kernel = ops.cast(self.kernel, inputs.dtype)
        logits = contract(inputs, kernel)[..., 0]
        return ops.sigmoid(logits + ops.cast(self.bias, logits.dtype))

    def get_config(self):
        initializer = initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "kernel_initializer": initializer}
