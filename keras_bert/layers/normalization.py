"""Layer normalization: Keras' layer, by an operation of the engine's own where there is one."""

from ..backend import LayerCall, layers, normalize, ops, serializable


class NormalizationCall:
    """What a layer with `epsilon`, `gamma` and `beta` computes, of Keras or of a small package."""

    def call(self, inputs, training=None):
        normalized = None
        if self._is_usual(inputs):
            normalized = normalize(inputs, self.gamma, self.beta, self.epsilon, training)
        if normalized is None:
            return super().call(inputs)
        return ops.cast(normalized, self.compute_dtype)

    def _is_usual(self, inputs) -> bool:
        axis = getattr(self, "axis", -1)  # the small package's layer knows no other
        axis = axis if isinstance(axis, int) else tuple(axis)
        is_last = axis in (-1, len(inputs.shape) - 1, (-1,), (len(inputs.shape) - 1,))
        # By `rms_scaling`, which is deprecated, Keras' layer computes something else without beta.
        return is_last and self.scale and self.center and not getattr(self, "rms_scaling", False)


@serializable
class LayerNormalization(NormalizationCall, LayerCall, layers.LayerNormalization):
    """Normalization of every token's features to mean 0 and variance 1, then scaled and shifted.

    Arguments and numbers are those of `keras.layers.LayerNormalization`; under Keras 2, where the
    last axis is normalized always, those of keras-layer-normalization.

    Call args:
        inputs: Features (B, …, D).

    Returns:
        Features (B, …, D).

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import LayerNormalization
        >>> normalized = LayerNormalization()(np.array([[1.0, 3.0]], "float32"))
        >>> ops.convert_to_numpy(normalized).round(2).tolist()
        [[-1.0, 1.0]]

    Reference:
        Ba et al., Layer Normalization, https://arxiv.org/abs/1607.06450
    """
