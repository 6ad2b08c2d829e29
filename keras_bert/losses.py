"""The loss of masked language modelling."""

from __future__ import annotations

from .backend import TF_KERAS, keras, losses, serializable

if TF_KERAS:
    import tensorflow as tf

    # No file of 0.8x holds this class, so that it needs no plain name.
    serializable = keras.utils.register_keras_serializable(package="keras_bert")


@serializable
class MaskedCrossentropy(losses.SparseCategoricalCrossentropy):
    """Cross-entropy of predictions and label ids, averaged over the unmasked places.

    Those are the places where the Keras mask of the predictions, if they have one, is true: for the
    MLM output, the places to predict. Where there is none, the loss is 0 and so is its gradient.

    Args:
        name: Name of the loss.
        from_logits: Whether the predictions are logits rather than probabilities.

    Call args:
        y_true: Label ids (B, …) or (B, …, 1).
        y_pred: Probabilities or logits (B, …, V).
        sample_weight: Weights that broadcast to (B, …).

    Returns:
        Scalar, the sum of the weighted cross-entropies over the number of unmasked places.

    Raises:
        ValueError: If there are labels for another number of places than predictions.
    """

    def __init__(self, name="masked_crossentropy", *, from_logits=False):
        super().__init__(from_logits=from_logits, name=name)
        self.from_logits = from_logits

    def get_config(self):
        return {"name": self.name, "from_logits": self.from_logits}

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 3:
            labels, places = y_true.shape[1], y_pred.shape[1]
            if None not in (labels, places) and labels != places:
                raise ValueError(
                    f"There are labels for {labels} places of a row and predictions for {places}. "
                    "`get_model` and `gen_batch_inputs` must have the same `max_predictions`. "
                    f"Received: y_true of shape {tuple(y_true.shape)}, y_pred of shape "
                    f"{tuple(y_pred.shape)}."
                )
        return super().call(y_true, y_pred)

    if TF_KERAS:
        # Keras 3 computes just this; Keras 2 divides 0 by 0 where every place is masked.
        def __call__(self, y_true, y_pred, sample_weight=None):
            mask = getattr(y_pred, "_keras_mask", None)
            if mask is None:
                return super().__call__(y_true, y_pred, sample_weight)
            any_place = tf.reduce_any(mask)
            y_pred = tf.identity(y_pred)  # a tensor of our own to put another mask on
            y_pred._keras_mask = tf.logical_or(mask, tf.logical_not(any_place))
            loss = super().__call__(y_true, y_pred, sample_weight)
            return tf.where(any_place, loss, tf.zeros_like(loss))
