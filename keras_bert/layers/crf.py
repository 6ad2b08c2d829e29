"""A linear-chain conditional random field (CRF)."""

from .. import activations
from ..arguments import as_size
from ..backend import (
    MaskArgument,
    constraints,
    copy_initializer,
    initializers,
    keras,
    layers,
    ops,
    precision_of,
    registered,
    regularizers,
    unconverted,
)
from ..backend import activations as keras_activations
from .crf_loss import CRFLoss, crf_viterbi_accuracy
from .tag_paths import ends, viterbi_path


@unconverted
@registered
class CRF(MaskArgument, layers.Layer):
    """Tags of a sequence, chosen together, as a tag may depend on the one before it.

    A sequence of tags y has the score `sum(scores[t, y[t]]) - sum(chain_kernel[y[t], y[t + 1]])`,
    and its probability is the exponential of that over the sum for all sequences. The scores of
    single tags are `-activation(x·kernel + bias)`, minus `left_boundary` at the first and
    `right_boundary` at the last position. (As in keras_contrib, what the weights give is an energy:
    the lower, the better.) Masked positions are left out, as if the sequence were shorter.

    One output serves prediction and loss: `output.argmax(-1)` is the best sequence, found by the
    Viterbi algorithm. Every position has the scores of its tags, lowered so that the greatest is 0,
    which changes no probability. Only the tag of the best sequence has `1 - score` instead, which
    is the only positive number of the position. Masked positions are all 0. So the loss gets the
    scores back by `where(output > 0, 1 - output, output)`.

    Weights, in order: kernel (D, U), chain_kernel (U, U), bias (U,), left_boundary (U,),
    right_boundary (U,). Computed in float32 at least, whatever the dtype policy.

    Args:
        units: Number U of tags.
        learn_mode: "join", as only the probability of whole sequences is offered.
        test_mode: "viterbi" or None, which is the same.
        sparse_target: True if the labels must be ids. Otherwise their shape tells what they are.
        use_boundary: Whether the first and the last tag have scores of their own.
        use_bias: Whether there is a bias.
        activation: Activation of the energies of single tags.
        kernel_initializer: Initializer of `kernel`.
        chain_initializer: Initializer of `chain_kernel`.
        bias_initializer: Initializer of `bias`.
        boundary_initializer: Initializer of both boundaries.
        kernel_regularizer: Regularizer of `kernel`.
        chain_regularizer: Regularizer of `chain_kernel`.
        boundary_regularizer: Regularizer of both boundaries.
        bias_regularizer: Regularizer of `bias`.
        kernel_constraint: Constraint of `kernel`.
        chain_constraint: Constraint of `chain_kernel`.
        boundary_constraint: Constraint of both boundaries.
        bias_constraint: Constraint of `bias`.
        input_dim: Size D of the features, which is then checked; None takes any.
        unroll: Without effect.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call args:
        inputs: Features (B, T, D).
        mask: Boolean (B, T), or None. It may be false anywhere.

    Returns:
        Scores (B, T, U) as described above, without a mask.

    Attributes:
        loss: The loss to compile with (`CRFLoss`); also `loss_function`.
        accuracy: The metric to compile with (`crf_viterbi_accuracy`); also `viterbi_acc`.

    Raises:
        ValueError: If there are fewer than two tags, for another mode, or for features of another
            rank.

    Example:
        >>> import numpy as np
        >>> from keras_bert.backend import ops
        >>> from keras_bert.layers import CRF
        >>> crf = CRF(2, use_bias=False, use_boundary=False, input_dim=2)
        >>> crf.build((None, None, 2))
        >>> # Scores are the features. A tag is seldom followed by another one.
        >>> crf.set_weights([-np.eye(2), np.array([[0.0, 3.0], [3.0, 0.0]])])
        >>> features = np.array([[[2.0, 0.0], [0.0, 1.0], [2.0, 0.0]]], "float32")
        >>> output = ops.convert_to_numpy(crf(features))
        >>> output.tolist()
        [[[1.0, -2.0], [2.0, 0.0], [1.0, -2.0]]]
        >>> output.argmax(-1).tolist()
        [[0, 0, 0]]
        >>> loss = crf.loss(np.array([[0, 0, 0]]), output)  # for each sequence
        >>> round(ops.convert_to_numpy(loss).item(), 3)
        0.034

    Reference:
        Lafferty, McCallum and Pereira, Conditional Random Fields, ICML 2001
    """

    def __init__(
        self,
        units,
        learn_mode="join",
        test_mode=None,
        sparse_target=False,
        use_boundary=True,
        use_bias=True,
        activation="linear",
        kernel_initializer="glorot_uniform",
        chain_initializer="orthogonal",
        bias_initializer="zeros",
        boundary_initializer="zeros",
        kernel_regularizer=None,
        chain_regularizer=None,
        boundary_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        chain_constraint=None,
        boundary_constraint=None,
        bias_constraint=None,
        input_dim=None,
        unroll=False,
        **kwargs,
    ):
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        if as_size("units", units) < 2:
            raise ValueError(f"`units` must be at least 2, one a tag. Received: units={units}.")
        if learn_mode != "join" or test_mode not in (None, "viterbi"):
            raise ValueError(
                "A CRF has `learn_mode` 'join' and `test_mode` 'viterbi'. For a probability of "
                "each tag at each position ('marginal'), use Dense(units, activation='softmax') "
                "and the loss 'categorical_crossentropy' instead. "
                f"Received: learn_mode={learn_mode!r}, test_mode={test_mode!r}."
            )
        self.supports_masking = True
        self.units = units
        self.learn_mode = learn_mode
        self.test_mode = "viterbi"
        self.sparse_target = sparse_target
        self.use_boundary = use_boundary
        self.use_bias = use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.chain_initializer = initializers.get(chain_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.boundary_initializer = initializers.get(boundary_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.chain_regularizer = regularizers.get(chain_regularizer)
        self.boundary_regularizer = regularizers.get(boundary_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.chain_constraint = constraints.get(chain_constraint)
        self.boundary_constraint = constraints.get(boundary_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_dim = input_dim
        self.unroll = unroll
        self.input_spec = layers.InputSpec(ndim=3, axes={-1: input_dim} if input_dim else None)
        self.bias = self.left_boundary = self.right_boundary = None

    @property
    def loss(self):
        return CRFLoss(self)

    loss_function = loss
    accuracy = viterbi_acc = staticmethod(crf_viterbi_accuracy)

    def build(self, input_shape):
        self.kernel = self._add("kernel", (int(input_shape[-1]), self.units))
        self.chain_kernel = self._add("chain_kernel", (self.units, self.units), "chain")
        if self.use_bias:
            self.bias = self._add("bias", (self.units,))
        if self.use_boundary:
            self.left_boundary = self._add("left_boundary", (self.units,), "boundary")
            self.right_boundary = self._add("right_boundary", (self.units,), "boundary")
        self.built = True

    def _add(self, name, shape, options=None):
        initializer, regularizer, constraint = (
            getattr(self, f"{options or name}_{kind}")
            for kind in ("initializer", "regularizer", "constraint")
        )
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=copy_initializer(initializer),
            regularizer=regularizer,
            constraint=constraint,
            autocast=False,
        )

    @property
    def _precision(self):
        return precision_of(self.variable_dtype)

    def transitions(self):
        """The score of every tag (row) before every other (column), (U, U)."""
        return -ops.cast(self.chain_kernel, self._precision)

    def compute_mask(self, inputs, mask=None):
        # Keras would multiply the loss of every sequence (B,) by a mask (B, T).
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1], self.units)

    def compute_output_spec(self, inputs, mask=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self._precision)

    def call(self, inputs, mask=None):
        if mask is None:
            mask = ops.ones_like(inputs[..., 0], dtype="bool")
        if len(mask.shape) != 2:
            raise ValueError(f"`mask` must have the shape (B, T). Received: {tuple(mask.shape)}.")
        mask = ops.cast(mask, "bool")
        scores = self._scores(ops.cast(inputs, self._precision), mask)
        path = viterbi_path(scores, self.transitions(), mask)
        is_best = ops.equal(ops.expand_dims(path, -1), ops.arange(self.units))
        output = ops.where(is_best, 1.0 - scores, scores)
        return ops.where(ops.expand_dims(mask, -1), output, ops.cast(0, output.dtype))

    def _scores(self, features, mask):
        """Scores of single tags (B, T, U), of which the greatest of every position is 0."""

        def full(weight):
            return ops.cast(weight, features.dtype)

        energies = ops.cast(ops.matmul(features, full(self.kernel)), features.dtype)
        if self.use_bias:
            energies = energies + full(self.bias)
        energies = self.activation(energies)
        if self.use_boundary:
            first, last = ends(mask)
            energies = energies + full(first) * full(self.left_boundary)
            energies = energies + full(last) * full(self.right_boundary)
        return -energies - ops.max(-energies, axis=-1, keepdims=True)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "learn_mode": self.learn_mode,
            "test_mode": self.test_mode,
            "sparse_target": self.sparse_target,
            "use_boundary": self.use_boundary,
            "use_bias": self.use_bias,
            "activation": keras_activations.serialize(self.activation),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "chain_initializer": initializers.serialize(self.chain_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "boundary_initializer": initializers.serialize(self.boundary_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "chain_regularizer": regularizers.serialize(self.chain_regularizer),
            "boundary_regularizer": regularizers.serialize(self.boundary_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "chain_constraint": constraints.serialize(self.chain_constraint),
            "boundary_constraint": constraints.serialize(self.boundary_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "input_dim": self.input_dim,
            "unroll": self.unroll,
        }
