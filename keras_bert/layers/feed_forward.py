"""Position-wise feed-forward layer of Keras 3."""

from ..backend import (
    LayerCall,
    MaskArgument,
    needed_positions,
    ops,
    pick_rows,
    project,
    reshape,
    serializable,
    spread_rows,
)
from .dropout import Dropout
from .projection import OPTION_NUM, NeededLen, ProjectionLayer, as_rows


@serializable
class FeedForward(NeededLen, MaskArgument, LayerCall, ProjectionLayer):
    """Two dense layers applied at every position: `activation(x·W1 + b1)·W2 + b2`.

    Weights, in order: W1 (D, F), b1, W2 (F, D), b2.

    Args:
        units: Size F of the hidden features.
        activation: Activation of the hidden features; "gelu" is the tanh form.
        *options: Options of the dense layers, as of `MultiHeadAttention`; then `dropout_rate`.
        dropout_rate: Dropout rate of the hidden features in training.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call args:
        inputs: Features (B, …, D).
        mask: Boolean (B, T), for features (B, T, D); without `needed_len` without effect.

    Returns:
        Features (B, …, D).

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import FeedForward
        >>> tuple(FeedForward(12, "gelu")(np.ones((2, 3, 4), "float32")).shape)
        (2, 3, 4)

    Reference:
        Vaswani et al., Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.3
    """

    sub_layer_attributes = ("hidden", "output_projection")

    def __init__(self, units, activation="relu", *options, dropout_rate=0.0, **kwargs):
        if len(options) > OPTION_NUM:
            *options, dropout_rate = options
        super().__init__(activation, *options, **kwargs)
        self.units = units
        self.dropout_rate = dropout_rate
        self.dropout = None

    def build(self, input_shape):
        self.hidden = self._dense("hidden", self.units, input_shape, self.activation)
        if self.dropout_rate > 0.0:
            self.dropout = Dropout(self.dropout_rate, dtype=self.dtype_policy)
        hidden_shape = (*input_shape[:-1], self.units)
        self.output_projection = self._dense("output", input_shape[-1], hidden_shape)
        self.built = True

    def call(self, inputs, mask=None, training=None):
        positions = needed_positions(inputs, mask, self.needed_len)
        hidden = project(self.hidden, pick_rows(as_rows(inputs), positions))
        if self.dropout is not None:
            hidden = self.dropout(hidden, training=training)
        output = project(self.output_projection, hidden)
        output = spread_rows(output, positions, inputs)
        return reshape(output, (-1, *ops.shape(inputs)[1:]))

    def compute_mask(self, inputs, mask=None):
        return mask

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "units": self.units, "dropout_rate": self.dropout_rate}
