"""Batches, model and score of sentences.py."""

import numpy as np
from common import Batches

from keras_bert import POOL_SENTENCE, extract_embeddings
from keras_bert.backend import keras


class RowBatches(Batches):
    """Batches of rows of texts, all padded to about the length of the batch's longest.

    A batch's rows are drawn from all, whatever their length: they are each other's wrong answers.

    Args:
        tokens: Token ids, (N, texts of a row, T), padded with 0.
        targets: Grades (N,).
        batch_size: Number of rows in a batch.
        seed: As of `Batches`.
    """

    SORTED = 1

    def __init__(self, tokens, targets, batch_size, seed):
        self.tokens = tokens
        lengths = np.count_nonzero(tokens, axis=2).max(axis=1)
        super().__init__([tokens], targets, batch_size, seed, lengths=lengths)

    def __getitem__(self, index):
        rows = self.batches[index]
        tokens = self.tokens[rows][:, :, : self._width(rows)]
        inputs = []
        for each in np.moveaxis(tokens, 1, 0):
            inputs += [each, np.zeros_like(each)]
        return tuple(inputs), self.targets[0][rows]


def spearman(first, second):
    """Spearman's correlation: Pearson's of the ranks, of which equal values share the mean."""

    def ranks(values):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]

    return np.corrcoef(ranks(first), ranks(second))[0, 1]


def score(model, texts, grades):
    """How well the vectors of a model fit rows of texts, see above."""
    columns = [
        extract_embeddings(model, column, POOL_SENTENCE, stacked=True)
        for column in list(zip(*texts, strict=True))[:2]
    ]
    first, second = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in columns)
    if grades is not None:
        return spearman((first * second).sum(axis=1), grades)
    seconds = np.array([row[1] for row in texts])
    nearest = seconds[np.argmax(first @ second.T, axis=1)]
    return np.mean(nearest == seconds)  # a text may be there twice


def towers(sentence_model, count):
    """A model from `count` texts to their vectors (B, count, D), which share all weights."""
    inputs, vectors = [], []
    for number in range(count):
        tokens, segments = (
            keras.layers.Input((None,), dtype="int32", name=f"{name}-{number}")
            for name in ("Token", "Segment")
        )
        inputs += [tokens, segments]
        vectors.append(sentence_model([tokens, segments]))
    size = sentence_model.output_shape[-1]
    side_by_side = keras.layers.Concatenate()(vectors)
    return keras.models.Model(inputs, keras.layers.Reshape((count, size))(side_by_side))
