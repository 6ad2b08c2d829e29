"""Multi-head attention: keras-multi-head's under Keras 2, this project's own on Keras 3."""

from __future__ import annotations

from ..arguments import as_integer
from ..backend import TF_KERAS, backend, ops, serializable

if TF_KERAS:
    import keras_multi_head

    from .. import activations

    class MultiHeadAttention(keras_multi_head.MultiHeadAttention):
        """The small package's layer, in which "gelu" is the tanh form, as on Keras 3."""

        def __init__(self, head_num, activation="relu", *args, **kwargs):
            super().__init__(head_num, activations.get(activation), *args, **kwargs)

else:
    from .mask_argument import MaskArgument
    from .projection import ProjectionLayer, as_rows

    @serializable
    class MultiHeadAttention(MaskArgument, ProjectionLayer):
        """Scaled dot-product attention in several heads, `softmax(Q·Kᵀ / sqrt(D/H) + bias)·V`.

        The bias is −10000 at masked keys (and, with `history_only`, at later ones): a row of only
        padding attends evenly, as in Google's model, instead of dividing by zero. There is no
        dropout on the attention probabilities. Weights, in order: query, key, value and output
        kernel, each followed by its bias.

        Args:
            head_num: Number of heads H; divides the feature size D of the values.
            activation: Activation of the query, key, value and output projections; "gelu" is the
                tanh form.
            use_bias: Whether the projections have a bias.
            kernel_initializer: Initializer of the kernels.
            bias_initializer: Initializer of the biases.
            kernel_regularizer: Regularizer of the kernels.
            bias_regularizer: Regularizer of the biases.
            kernel_constraint: Constraint of the kernels.
            bias_constraint: Constraint of the biases.
            history_only: Whether a place attends only to itself and what precedes it.

        Call args:
            inputs: Features (B, T, D), or a list of query (B, T, Dq), key (B, S, Dk) and value
                features (B, S, D).
            mask: Boolean (B, T), or a list of the three masks, of which the keys' (B, S) counts.

        Returns:
            Features (B, T, D).

        Raises:
            ValueError: If `head_num` does not divide D, or the mask is not of rank 2.

        Reference:
            Vaswani et al., Attention Is All You Need, https://arxiv.org/abs/1706.03762
        """

        def __init__(
            self,
            head_num,
            activation="relu",
            use_bias=True,
            kernel_initializer="glorot_normal",
            bias_initializer="zeros",
            kernel_regularizer=None,
            bias_regularizer=None,
            kernel_constraint=None,
            bias_constraint=None,
            history_only=False,
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
            self.head_num = head_num
            self.history_only = history_only

        def build(self, input_shape):
            query, key, value = _query_key_value(
                input_shape, not isinstance(input_shape[0], (list, tuple))
            )
            units = value[-1]
            check_head_num(self.head_num, units, f"layer '{self.name}'")
            self.query = self._dense("query", units, query, self.activation)
            self.key = self._dense("key", units, key, self.activation)
            self.value = self._dense("value", units, value, self.activation)
            self.output_projection = self._dense(
                "output", units, (*query[:-1], units), self.activation
            )
            self.built = True

        def call(self, inputs, mask=None):
            query, key, value = _query_key_value(inputs)
            attend = _attend if _runs_on_jax_cpu() else ops.dot_product_attention
            attended = attend(
                self._heads(self.query, query),
                self._heads(self.key, key),
                self._heads(self.value, value),
                bias=self._bias(query, key, mask),
            )
            length, units = ops.shape(query)[1], self.value.units
            projected = self.output_projection(ops.reshape(attended, (-1, units)))
            return ops.reshape(projected, (-1, length, units))

        def attention_map(self, inputs, mask=None):
            """Attention probabilities (B, H, T, S), float32, for the arguments of `call`."""
            query, key, _ = _query_key_value(inputs)
            queries, keys = self._heads(self.query, query), self._heads(self.key, key)
            return ops.cast(_probabilities(queries, keys, self._bias(query, key, mask)), "float32")

        def _heads(self, projection, features):
            """Projected features (B, T, H, D/H)."""
            length, units = ops.shape(features)[1], projection.units
            projected = projection(as_rows(features))
            return ops.reshape(projected, (-1, length, self.head_num, units // self.head_num))

        def _bias(self, query, key, mask):
            """Additive bias of the scores, broadcasting to (B, H, T, S), or None."""
            _, mask, _ = _query_key_value(mask)
            bias = None
            if mask is not None:
                if len(mask.shape) != 2:
                    raise ValueError(
                        f"Layer '{self.name}' takes a mask of rank 2, (batch, length). "
                        f"Received: mask of shape {tuple(mask.shape)}."
                    )
                bias = -10000.0 * (1.0 - ops.cast(mask, self.compute_dtype))[:, None, None, :]
            if self.history_only:
                places, key_places = (ops.arange(ops.shape(each)[1]) for each in (query, key))
                later = ops.cast(key_places[None, :] > places[:, None], self.compute_dtype)
                later = -10000.0 * later[None, None]
                bias = later if bias is None else bias + later
            return bias

        def compute_mask(self, inputs, mask=None):
            return _query_key_value(mask)[0]

        def compute_output_shape(self, input_shape):
            query, _, value = _query_key_value(
                input_shape, not isinstance(input_shape[0], (list, tuple))
            )
            return (*query[:-1], value[-1])

        def get_config(self):
            return {
                **super().get_config(),
                "head_num": self.head_num,
                "history_only": self.history_only,
            }


def check_head_num(head_num: int, units: int, where: str) -> None:
    """Refuse a number of heads that does not divide the feature size.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it does not divide the size.
    """
    if as_integer("head_num", head_num) < 1 or units % head_num != 0:
        raise ValueError(
            f"`head_num` must divide the feature size in {where}. "
            f"Received: head_num={head_num}, feature size={units}."
        )


def _runs_on_jax_cpu() -> bool:
    """Whether products run faster, and in float16 at all, with heads before places."""
    if backend.backend() != "jax":
        return False
    import jax

    return jax.default_backend() == "cpu"


def _attend(query, key, value, bias):
    """`ops.dot_product_attention` for features (B, T or S, H, D/H)."""
    probabilities = ops.cast(_probabilities(query, key, bias), value.dtype)
    attended = ops.einsum("bhts,bhsd->bhtd", probabilities, _heads_first(value))
    return _heads_first(attended)  # back again


def _probabilities(query, key, bias):
    """Attention probabilities (B, H, T, S) in at least float32, from features (B, …, H, D/H)."""
    scores = ops.einsum("bhtd,bhsd->bhts", _heads_first(query), _heads_first(key))
    precision = "float64" if scores.dtype == "float64" else "float32"
    scores = ops.cast(scores, precision) / query.shape[-1] ** 0.5
    if bias is not None:
        scores = scores + ops.cast(bias, precision)
    return ops.softmax(scores, axis=(3,))  # of a tuple Keras does not warn where texts have 1 token


def _heads_first(features):
    return ops.transpose(features, (0, 2, 1, 3))


def _query_key_value(value, single=None):
    """Split an argument that is a list of three, or one thing that stands for all three."""
    if single is None:
        single = not isinstance(value, (list, tuple))
    query, key, value = (value, value, value) if single else value
    return query, key, value
