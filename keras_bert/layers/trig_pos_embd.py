"""Fixed sine and cosine position vectors; no BERT uses them, but old files may name the layer."""

from ..backend import layers, ops, precision_of, serializable
from .position_embedding import PositionModes


@serializable
class TrigPosEmbedding(PositionModes, layers.Layer):
    """Vectors of sines (even features) and cosines (odd features) of the position.

    Args:
        mode: "expand" turns positions into vectors, "add" adds those of 0…T−1 to features,
            "concat" appends them.
        output_dim: Size of the vectors, even; in mode "add" the features' own, even as well.

    Inputs and outputs are those of `PositionEmbedding`.

    Reference:
        Vaswani et al., Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.5
    """

    def __init__(self, mode=PositionModes.MODE_ADD, output_dim=None, **kwargs):
        # Positions must not be cast to a 16-bit float; features are cast in call.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self._set_mode(mode)
        if mode != self.MODE_ADD and (output_dim is None or output_dim % 2):
            raise ValueError(
                f"`output_dim` must be an even number in mode {mode!r}. "
                f"Received: output_dim={output_dim}."
            )
        self.output_dim = output_dim
        self.supports_masking = True

    def call(self, inputs):
        if self.mode == self.MODE_EXPAND:
            return ops.cast(self._vectors(inputs, self.output_dim), self.compute_dtype)
        features = ops.cast(inputs, self.compute_dtype)
        _, length, units = ops.shape(features)
        if self.mode != self.MODE_ADD:
            units = self.output_dim
        elif (inputs.shape[-1] or 0) % 2:
            raise ValueError(
                f"{self.name} adds pairs of a sine and a cosine: the number of features must be "
                f"even. Received: inputs of shape {tuple(inputs.shape)}."
            )
        return self._add_or_append(self._vectors(ops.arange(length)[None], units), features)

    def _vectors(self, positions, units):
        # 16-bit floats do not tell position 257 from 256.
        dtype = precision_of(self.compute_dtype)
        exponents = ops.arange(0, units, 2, dtype=dtype) / ops.cast(units, dtype)
        base = ops.cast(10000.0, dtype)
        angles = ops.cast(positions, dtype)[..., None] / ops.power(base, exponents)
        pairs = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
        return ops.reshape(pairs, (*ops.shape(positions), units))

    def compute_mask(self, inputs, mask=None):
        return mask

    def get_config(self):
        return {**super().get_config(), "mode": self.mode, "output_dim": self.output_dim}
