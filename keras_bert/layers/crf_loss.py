"""Loss and metric of the layer `CRF`, whose output tells scores, best sequence and mask."""

import numpy as np

from ..backend import ops, registered, static_shape
from .known_values import known_values
from .tag_paths import log_likelihood


@registered
class CRFLoss:
    """Negative logarithm of the probability that a CRF layer gives the true sequences of tags.

    It is divided by the number of unmasked positions of the sequence, as keras_contrib does. (There
    masked positions add a constant, log(U) each, as if any tag were possible.)

    The loss needs the transitions, which are weights of the layer, and so it belongs to one layer:
    it is `crf.loss`. A model that is loaded from a file therefore has to be compiled again, with
    the loss of its own layer, before it is trained further; till then the loss is an error.

    Args:
        layer: The layer; None in what files hold.

    Call args:
        y_true: Tags as ids (B, T) or (B, T, 1), or as one-hot rows (B, T, U). At masked positions
            they may be anything.
        y_pred: The layer's output (B, T, U).

    Returns:
        A loss for each sequence (B,); NaN where a tag is none of the U tags and the engine does not
        know the values until the program runs.

    Raises:
        ValueError: If there is no layer, the shape of the labels does not fit, or labels are no
            tags.
    """

    def __init__(self, layer=None):
        self.layer = layer
        self.__name__ = "crf_loss"  # by which Keras names the loss

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()

    def __call__(self, y_true, y_pred):
        if self.layer is None:
            raise ValueError(
                "The loss of a CRF belongs to its layer, of whose weights files of models do not "
                "tell. Compile the loaded model again: crf = model.get_layer('crf'), then "
                "model.compile(optimizer, loss=crf.loss, metrics=[crf.accuracy])."
            )
        transitions = self.layer.transitions()
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        y_pred = ops.cast(y_pred, transitions.dtype)
        counted = _counted(y_pred)
        tags = _one_hot(y_true, y_pred, self.layer.sparse_target)
        are_tags = ops.any(ops.not_equal(tags, 0), axis=-1)
        wrong = ops.logical_and(counted, ops.logical_not(are_tags))
        _check_tags(y_true, wrong, self.layer.units)
        scores = ops.where(y_pred > 0, 1.0 - y_pred, y_pred)
        likelihood = log_likelihood(scores, transitions, counted, tags)
        count = ops.sum(ops.cast(counted, y_pred.dtype), axis=1)
        loss = -likelihood / ops.maximum(count, ops.ones_like(count))
        return ops.where(ops.any(wrong, axis=1), ops.cast(np.nan, loss.dtype), loss)


@registered
def crf_viterbi_accuracy(y_true, y_pred):
    """The share of unmasked positions whose tag in a CRF layer's best sequences is the true one.

    Of one batch; what Keras shows for several batches is the mean of theirs.

    Args:
        y_true: Tags as ids (B, T) or (B, T, 1), or as one-hot rows (B, T, U).
        y_pred: The layer's output (B, T, U).

    Returns:
        Scalar; 0 where everything is masked.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    best = ops.cast(y_pred > 0, y_pred.dtype)
    right = ops.sum(_one_hot(y_true, y_pred) * best)
    count = ops.sum(ops.cast(_counted(y_pred), y_pred.dtype))
    return right / ops.maximum(count, ops.ones_like(count))


def _counted(y_pred):
    """Which positions (B, T) are unmasked: those that are not all 0, as NaN is not."""
    return ops.any(ops.not_equal(y_pred, 0), axis=-1)


def _one_hot(y_true, y_pred, only_ids=False):
    """Labels as one-hot rows (B, T, U); an id that is no tag gives a row of zeros."""
    units = y_pred.shape[-1]
    # Keras 2 may not know the rank; in graph mode it takes ids (B, T) for something of rank 3.
    shape = static_shape(y_true) or (None, None, None)
    *positions, size = shape if len(shape) == 3 else (*shape, 1)
    allowed = (None, 1) if only_ids else (None, 1, units)
    pairs = zip(positions, static_shape(y_pred), strict=False)
    fits = all(None in pair or pair[0] == pair[1] for pair in pairs)
    if len(positions) != 2 or size not in allowed or not fits:
        one_hot = "; `sparse_target` forbids one-hot rows" if only_ids else ", or (B, T, units)"
        raise ValueError(
            f"Labels must have the shape (B, T) or (B, T, 1){one_hot}, for as many positions as "
            f"there are predictions. Received: labels of shape {tuple(y_true.shape)}, predictions "
            f"of shape {tuple(y_pred.shape)}."
        )
    labels = ops.reshape(y_true, (*ops.shape(y_pred)[:2], size or -1))
    of_ids = ops.equal(ops.cast(labels[..., :1], "int32"), ops.arange(units))
    of_ids = ops.cast(of_ids, y_pred.dtype)
    if size == 1:
        return of_ids
    rows = ops.cast(labels, y_pred.dtype)
    if size == units:
        return rows
    return ops.where(ops.equal(ops.shape(labels)[2], 1), of_ids, rows)


def _check_tags(y_true, wrong, units):
    """Refuse labels that are no tags, where values are known."""
    wrong, labels = known_values(wrong), known_values(y_true)
    if wrong is not None and labels is not None and wrong.any():
        raise ValueError(
            f"Labels of unmasked positions must be ids in [0, {units - 1}] or one-hot rows. "
            f"Received: {labels[wrong][:5].tolist()}."
        )
