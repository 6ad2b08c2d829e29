"""Losses of sentence models: vectors of texts that belong together, or that are graded in pairs."""

from numbers import Real

from ..arguments import describe
from ..backend import loss_options, losses, ops, precision_of, registered, static_shape

# The square of the least length that is told from 0.
_LEAST_SQUARE = 1e-24
# A logarithm whose exponential is 0 beside any that cosines have.
_NOT_COUNTED = -1e30


class _VectorLoss(losses.Loss):
    """A loss of the cosines between the vectors of a row, divided by a temperature."""

    def __init__(self, temperature: float = 0.05, name: str | None = None):
        is_number = isinstance(temperature, Real) and not isinstance(temperature, bool)
        if not (is_number and 0 < temperature < float("inf")):
            raise ValueError(
                "`temperature` must be a positive number, by which cosines are divided. "
                f"Received: {describe(temperature)}."
            )
        super().__init__(name=name, **loss_options())
        self.temperature = float(temperature)

    def get_config(self):
        return {"name": self.name, "temperature": self.temperature}


@registered
class InBatchNegatives(_VectorLoss):
    """Cross-entropy that finds a text's own counterpart among those of the whole batch.

    Of a batch of B rows, each an anchor `a` and its counterpart `p`, and perhaps texts `n` that are
    close to the anchor and wrong ("hard negatives"), the loss of row i is

        −log(exp(cos(aᵢ, pᵢ) / t) / (Σⱼ exp(cos(aᵢ, pⱼ) / t) + Σⱼ exp(cos(aᵢ, nⱼ) / t))),

    where both sums run over all rows: the other rows' texts are the negatives. A batch should
    therefore hold no counterpart twice, and larger batches teach more. It is
    MultipleNegativesRankingLoss of sentence-transformers, whose `scale` is 1 / t. A single pair has
    no negatives; its loss is 0. A vector of zeros has cosine 0 with any other and no gradient.

    On several devices, the texts of one device are each other's negatives.

    Args:
        temperature: What cosines are divided by, t.
        symmetric: Whether counterparts have to find their anchors as well, among all anchors: the
            loss is the mean of both (MultipleNegativesSymmetricRankingLoss).
        name: Name of the loss.

    Call args:
        y_true: Anything with B rows; it is ignored.
        y_pred: Vectors (B, N, D), in each row those of an anchor, its counterpart, and N − 2
            negatives.
        sample_weight: Weights of the rows (B,).

    Returns:
        Scalar, the mean over the rows.

    Raises:
        ValueError: If the temperature is not positive or the vectors have another shape.

    Example:
        >>> import numpy as np
        >>> from keras_bert import InBatchNegatives
        >>> vectors = np.array([[[1, 0], [4, 3]], [[0, 2], [0, 1]]], "float32")
        >>> print(f"{float(InBatchNegatives(temperature=1.0)(np.zeros(2), vectors)):.4f}")
        0.4421

    Reference:
        Henderson et al., Efficient Natural Language Response Suggestion for Smart Reply (2017),
        section 4.4, https://arxiv.org/abs/1705.00652; with temperature and hard negatives
        Gao et al., SimCSE (2021), https://arxiv.org/abs/2104.08821
    """

    def __init__(
        self,
        temperature: float = 0.05,
        symmetric: bool = False,
        name: str = "in_batch_negatives",
    ):
        super().__init__(temperature, name)
        self.symmetric = symmetric

    def get_config(self):
        return {**super().get_config(), "symmetric": self.symmetric}

    def call(self, y_true, y_pred):
        count = static_shape(y_pred)[1] if len(y_pred.shape) == 3 else 0
        _check_vectors(y_pred, count is None or count >= 2, "(B, N, D), N at least 2")
        vectors = _unit_vectors(y_pred)
        anchors = vectors[:, 0]
        # All counterparts, then all negatives.
        others = ops.transpose(vectors[:, 1:], (1, 0, 2))
        others = ops.reshape(others, (-1, static_shape(y_pred)[2]))
        scores = ops.matmul(anchors, ops.transpose(others)) / self.temperature
        own = ops.diagonal(scores)
        loss = ops.logsumexp(scores, axis=1) - own
        if not self.symmetric:
            return loss
        rows = ops.shape(scores)[0]
        return 0.5 * (loss + ops.logsumexp(scores[:, :rows], axis=0) - own)


@registered
class CoSENT(_VectorLoss):
    """Orders pairs of texts by their cosines as their grades order them.

    Of a batch of B pairs with grades g and cosines c, it is

        log(1 + Σ exp((c_k − c_i) / t)) over all i, k with gᵢ > g_k,

    so that only the order of the grades matters, not their size: similarity from 0 to 5 (STS), or
    1 for a pair that means the same and 0 for one that does not. It is CoSENTLoss of
    sentence-transformers, whose `scale` is 1 / t. Where all grades are equal, as in a batch of one
    pair, the loss is 0. A vector of zeros has cosine 0 with any other and no gradient.

    Args:
        temperature: What cosines are divided by, t.
        name: Name of the loss.

    Call args:
        y_true: Grades (B,) or (B, 1).
        y_pred: Vectors (B, 2, D), in each row those of a pair.

    Returns:
        Scalar, of the batch.

    Raises:
        ValueError: If the temperature is not positive, if the vectors have another shape, if there
            is another number of grades than of pairs, or if `sample_weight` is given: the loss is
            one of the batch, not of its rows.

    Example:
        >>> import numpy as np
        >>> from keras_bert import CoSENT
        >>> vectors = np.array([[[1, 0], [4, 3]], [[0, 2], [0, 1]]], "float32")
        >>> grades = np.array([5.0, 1.0])
        >>> print(f"{float(CoSENT(temperature=1.0)(grades, vectors)):.4f}")
        0.7981

    Reference:
        Su, CoSENT (2022), https://kexue.fm/archives/8847; Huang et al., CoSENT: Consistent
        Sentence Embedding via Similarity Ranking (2024), https://doi.org/10.1109/TASLP.2024.3402087
    """

    def __init__(self, temperature: float = 0.05, name: str = "cosent"):
        super().__init__(temperature, name)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            raise ValueError(
                "CoSENT is a loss of the whole batch and takes no weights of its rows; leave "
                f"`sample_weight` and `class_weight` out. Received: {describe(sample_weight)}."
            )
        return super().__call__(y_true, y_pred)

    def call(self, y_true, y_pred):
        is_pairs = len(y_pred.shape) == 3 and static_shape(y_pred)[1] in (2, None)
        _check_vectors(y_pred, is_pairs, "(B, 2, D)")
        vectors = _unit_vectors(y_pred)
        scores = ops.sum(vectors[:, 0] * vectors[:, 1], axis=-1) / self.temperature
        grades = ops.reshape(ops.cast(y_true, scores.dtype), (-1,))
        counts = static_shape(grades)[0], static_shape(scores)[0]
        if None not in counts and counts[0] != counts[1]:
            raise ValueError(
                "There must be one grade for every pair of vectors. Received: y_true of shape "
                f"{tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}."
            )
        is_higher = ops.expand_dims(grades, 1) > ops.expand_dims(grades, 0)  # of i than of k
        differences = ops.expand_dims(scores, 0) - ops.expand_dims(scores, 1)
        counted = ops.where(is_higher, differences, ops.cast(_NOT_COUNTED, scores.dtype))
        one = ops.zeros_like(scores[:1])  # its logarithm
        return ops.logsumexp(ops.concatenate([one, ops.reshape(counted, (-1,))]))


def _check_vectors(y_pred, is_right: bool, shape: str) -> None:
    if not is_right:
        raise ValueError(
            f"The model must give the vectors of a row together, {shape}; join its towers by "
            "`keras.ops.stack([anchors, others], axis=1)`. Received: y_pred of shape "
            f"{tuple(y_pred.shape)}."
        )


def _unit_vectors(vectors):
    """Vectors of length 1 in at least float32; those without a direction become 0."""
    vectors = ops.cast(vectors, precision_of(vectors.dtype))
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    least = ops.cast(_LEAST_SQUARE, squares.dtype)
    is_zero = squares <= least
    # Of what is not chosen the gradient must be finite, too.
    lengths = ops.sqrt(ops.where(is_zero, least, squares))
    return ops.where(is_zero, ops.zeros_like(vectors), vectors / lengths)
