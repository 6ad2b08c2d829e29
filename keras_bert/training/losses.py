"""The loss of masked language modelling."""

from ..backend import (
    has_replicas,
    loss_options,
    losses,
    mask_of,
    masked_mean,
    ops,
    precision_of,
    registered,
    replica_mean,
    static_shape,
)

# The least probability that is told from 0: engines may take what float32 has below it for 0.
_LEAST = 1e-37


@registered
class MaskedCrossentropy(losses.SparseCategoricalCrossentropy):
    """Cross-entropy of predictions and label ids, averaged over the unmasked positions.

    Those are the positions where the Keras mask of the predictions, if they have one, is true: for
    the MLM output, the positions to predict. Where there is none, the loss is 0 and so is its
    gradient. Of probabilities it is what it is of their logits, as far as float32 has them, to
    1e-37; Keras' own loss has no gradient below 1e-7.

    Where replicas of a model are trained together, by a strategy of TensorFlow or by PyTorch's
    DistributedDataParallel, and have different numbers of such positions, each one's loss is scaled
    so that the mean over the replicas, which those make, is the mean over all their positions. On
    PyTorch all processes of the default group must therefore take their training steps together.

    Args:
        name: Name of the loss.
        from_logits: Whether the predictions are logits rather than probabilities.

    Call args:
        y_true: Label ids (B, …) or (B, …, 1).
        y_pred: Probabilities or logits (B, …, V).
        sample_weight: Weights that broadcast to (B, …).

    Returns:
        Scalar, the sum of the weighted cross-entropies over the number of unmasked positions.

    Raises:
        ValueError: If there are labels for another number of positions than predictions.
    """

    def __init__(self, name="masked_crossentropy", *, from_logits=False):
        super().__init__(from_logits=True, name=name, **loss_options())  # see `call`
        self.from_logits = from_logits

    def get_config(self):
        return {"name": self.name, "from_logits": self.from_logits}

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 3:
            labels, positions = static_shape(y_true)[1], static_shape(y_pred)[1]
            if None not in (labels, positions) and labels != positions:
                raise ValueError(
                    f"There are labels for {labels} positions of a row and predictions for "
                    f"{positions}. `get_model` and `gen_batch_inputs` must have the same "
                    "`max_predictions`. Received: y_true of shape "
                    f"{tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}."
                )
        if not self.from_logits:
            precision = precision_of(y_pred.dtype)
            # Logarithms of probabilities are logits; Keras would clip the probabilities at 1e-7.
            # (`ops.maximum` makes float32 of float64 on PyTorch.)
            y_pred, least = ops.cast(y_pred, precision), ops.cast(_LEAST, precision)
            y_pred = ops.log(ops.where(y_pred <= least, least, y_pred))  # NaN stays NaN
        return super().call(y_true, y_pred)

    def __call__(self, y_true, y_pred, sample_weight=None):
        loss = masked_mean(super().__call__, y_true, y_pred, sample_weight)
        if not has_replicas():
            return loss
        mask = mask_of(y_pred)
        counted = ops.ones_like(y_pred[..., 0]) if mask is None else mask
        relative = relative_count(ops.sum(ops.cast(counted, "float32")))
        return loss * ops.cast(relative, loss.dtype)


def relative_count(count):
    """A replica's count of something over the mean count of all replicas, float32 scalars.

    A mean over the things of this replica times that factor is a number whose mean over the
    replicas is the mean over the things of all of them. It is 0 where no replica has anything.
    """
    mean = replica_mean(count)
    return count / ops.maximum(mean, ops.cast(1e-9, mean.dtype))
