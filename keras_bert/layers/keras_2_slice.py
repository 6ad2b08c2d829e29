"""A part of a tensor, as `features[:, 0]` stands in files of Keras 2."""

from ..backend import layers, serializable


@serializable
class Keras2Slice(layers.Layer):
    """`inputs[parts]`, without a mask, as TensorFlow's operation has none.

    Args:
        parts: For each axis an index, None for a new axis, or a dict of "start", "stop" and "step",
            ints or None; no step is negative.

    Call args:
        inputs: A tensor.

    Returns:
        The part of it.
    """

    def __init__(self, parts, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.parts = [
            {key: each[key] for key in ("start", "stop", "step")}
            if isinstance(each, dict)
            else each
            for each in parts
        ]

    def call(self, inputs):
        parts = (slice(*each.values()) if isinstance(each, dict) else each for each in self.parts)
        return inputs[tuple(parts)]

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "parts": self.parts}
