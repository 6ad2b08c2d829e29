"""Position-wise feed-forward layer: the small package's under Keras 2, our own on Keras 3."""

from __future__ import annotations

from ..backend import TF_KERAS, ops, serializable, unconverted
from .dropout import Dropout
from .mask_argument import MaskArgument
from .needed_places import needed_places, pick_rows, spread_rows
from .projection import ProjectionLayer, as_rows, project, reshape

if TF_KERAS:
    import keras_position_wise_feed_forward

    from .. import activations

    @unconverted
    class FeedForward(keras_position_wise_feed_forward.FeedForward):
        """The small package's layer, in which "gelu" is the tanh form, as on Keras 3.

        `needed_len`, which there saves work, is kept for files.
        """

        def __init__(self, units, activation="relu", *args, needed_len=None, **kwargs):
            super().__init__(units, activations.get(activation), *args, **kwargs)
            self.needed_len = needed_len

        def get_config(self):
            needed = {} if self.needed_len is None else {"needed_len": self.needed_len}
            return {**super().get_config(), **needed}

        def call(self, inputs, mask=None, training=None):
            output = super().call(as_rows(inputs), training=training)
            return reshape(output, (-1, *ops.shape(inputs)[1:]))

else:

    @serializable
    class FeedForward(MaskArgument, ProjectionLayer):
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
            needed_len: If given, nothing is read at masked places but the first `needed_len` of a
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
            places = needed_places(inputs, mask, self.needed_len)
            hidden = project(self.hidden, pick_rows(as_rows(inputs), places))
            if self.dropout is not None:
                hidden = self.dropout(hidden, training=training)
            output = project(self.output_projection, hidden)
            output = spread_rows(output, places, inputs)
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
