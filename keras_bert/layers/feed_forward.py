"""Position-wise feed-forward layer of Keras 3."""

from __future__ import annotations

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
from .projection import ProjectionLayer, as_rows


@serializable
class FeedForward(MaskArgument, LayerCall, ProjectionLayer):
    """Two dense layers applied at every place: `activation(x·W1 + b1)·W2 + b2`.

    Weights, in order: W1 (D, F), b1, W2 (F, D), b2.

    Args:
        units: Size F of the hidden features.
        activation: Activation of the hidden features; "gelu" is the tanh form.
        use_bias: Whether the dense layers have a bias.
        kernel_initializer: Initializer of the kernels.
        bias_initializer: Initializer of the biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        kernel_constraint: Constraint of the kernels.
        bias_constraint: Constraint of the biases.
        dropout_rate: Dropout rate of the hidden features in training.
        needed_len: If given, nothing is read at masked positions but the first `needed_len` of a
            sequence: the others may come out as 0. None computes them all.

    Call args:
        inputs: Features (B, …, D).
        mask: Boolean (B, T), for features (B, T, D); without `needed_len` without effect.

    Returns:
        Features (B, …, D).

    Reference:
        Vaswani et al., Attention Is All You Need, https://arxiv.org/abs/1706.03762, section 3.3
    """

    def __init__(
        self,
        units,
        activation="relu",
        use_bias=True,
        kernel_initializer="glorot_normal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        dropout_rate=0.0,
        *,
        needed_len=None,
        **kwargs,
    ):
        super().__init__(
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
        self.units = units
        self.dropout_rate = dropout_rate
        self.needed_len = needed_len
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
        return {
            **super().get_config(),
            "units": self.units,
            "dropout_rate": self.dropout_rate,
            "needed_len": self.needed_len,
        }
