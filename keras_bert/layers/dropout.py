"""Dropout: Keras' layer, but for the random numbers that an engine draws faster."""

from ..backend import LayerCall, drop, layers, serializable


@serializable
class Dropout(LayerCall, layers.Dropout):
    """Keras' Dropout; on a CPU with PyTorch 16 random bits decide about a feature.

    They come from the global generator, so that `keras.utils.set_random_seed` and
    `torch.manual_seed` fix them. With `seed` or `noise_shape` it is Keras' layer throughout.

    Args:
        rate: Share of the features to drop in training, in [0, 1].
        **kwargs: Further arguments of `keras.layers.Dropout`.

    Call args:
        inputs: Tensor of any shape.
        training: Whether to drop anything.

    Returns:
        Tensor of the same shape.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import Dropout
        >>> features = np.ones((1, 1000), "float32")
        >>> dropped = ops.convert_to_numpy(Dropout(0.5)(features, training=True))
        >>> sorted({*dropped.ravel().tolist()})  # what is kept is divided by the share of it
        [0.0, 2.0]
    """

    def call(self, inputs, training=False):
        dropped = None
        if training and self.seed is None and self.noise_shape is None:
            dropped = drop(inputs, float(self.rate))
        return super().call(inputs, training=training) if dropped is None else dropped
