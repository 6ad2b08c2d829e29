"""Multi-head attention of Keras 3."""

from ..arguments import check_head_num
from ..backend import LayerCall, MaskArgument, project, serializable
from .projection import OPTION_NUM, NeededLen, ProjectionLayer
from .scaled_attention import ScaledAttention, query_key_value


@serializable
class MultiHeadAttention(NeededLen, MaskArgument, LayerCall, ScaledAttention, ProjectionLayer):
    """Scaled dot-product attention in several heads, `softmax(Q·Kᵀ / sqrt(D/H) + bias)·V`.

    The bias is −10000 at masked keys (and, with `history_only`, at later ones): a row of only
    padding attends evenly, as in Google's model, instead of dividing by zero. There is no
    dropout on the attention probabilities. Weights, in order: query, key, value and output
    kernel, each followed by its bias.

    Args:
        head_num: Number of heads H; divides the feature size D of the values.
        activation: Activation of the query, key, value and output projections; "gelu" is the tanh
            form.
        *options: By position or by name `use_bias`, `kernel_initializer`, `bias_initializer`,
            `kernel_regularizer`, `bias_regularizer`, `kernel_constraint` and `bias_constraint` of
            the projections, as of `keras.layers.Dense`; then `history_only`.
        history_only: Whether a position attends only to itself and what precedes it.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call args:
        inputs: Features (B, T, D), or a list of query (B, T, Dq), key (B, S, Dk) and value
            features (B, S, D).
        mask: Boolean (B, T), or a list of the three masks, of which the keys' (B, S) counts.

    Returns:
        Features (B, T, D).

    Raises:
        ValueError: If `head_num` does not divide D, or the mask is not of rank 2.

    Example:
        >>> import numpy as np
        >>> from keras_bert.layers import MultiHeadAttention
        >>> tuple(MultiHeadAttention(2, None)(np.ones((2, 3, 4), "float32")).shape)
        (2, 3, 4)

    Reference:
        Vaswani et al., Attention Is All You Need, https://arxiv.org/abs/1706.03762
    """

    sub_layer_attributes = ("query", "key", "value", "output_projection")

    def __init__(self, head_num, activation="relu", *options, history_only=False, **kwargs):
        if len(options) > OPTION_NUM:
            *options, history_only = options
        super().__init__(activation, *options, **kwargs)
        self.head_num = head_num
        self.history_only = history_only

    def build(self, input_shape):
        query, key, value = query_key_value(
            input_shape, not isinstance(input_shape[0], (list, tuple))
        )
        units = value[-1]
        check_head_num(self.head_num, units, f"layer '{self.name}'")
        self.query = self._dense("query", units, query, self.activation)
        self.key = self._dense("key", units, key, self.activation)
        self.value = self._dense("value", units, value, self.activation)
        self.output_projection = self._dense("output", units, (*query[:-1], units), self.activation)
        self.built = True

    def _project(self, name, rows):
        dense = self.output_projection if name == "output" else getattr(self, name)
        return project(dense, rows)

    def compute_mask(self, inputs, mask=None):
        return query_key_value(mask)[0]

    def compute_output_shape(self, input_shape):
        query, _, value = query_key_value(
            input_shape, not isinstance(input_shape[0], (list, tuple))
        )
        return (*query[:-1], value[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "head_num": self.head_num,
            "history_only": self.history_only,
        }
