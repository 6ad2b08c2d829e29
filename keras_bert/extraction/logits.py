"""From rows of ids to the logits of a task model, in batches of about one length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..backend import COMPILES_EVERY_SHAPE, on_accelerator, predictor
from . import any_length, batching
from .batching import Batch, Row


def logits_of(
    model, rows: Iterable[Row], limit: int, batch_size: int | None = None
) -> Iterator[np.ndarray]:
    """Compute the logits of every row.

    Args:
        model: A model of `load_task_model`.
        rows: Ids of texts, without padding.
        limit: The most ids of a row.
        batch_size: The most rows in a batch; None leaves it to what the device computes at once.

    Yields:
        Logits of each row in turn: of its labels (L,), of its tokens (T, L) or, of starts and ends,
        (2, T).
    """
    run = predictor(model, any_length.consists_of_known_layers(model))
    pad = batching.pad_to_bucket(limit) if COMPILES_EVERY_SHAPE else batching.pad_to_longest

    def compute(batch: Batch) -> list[np.ndarray]:
        (outputs,) = run.fetch([run.call([batch.token_ids, batch.segment_ids])])
        lengths = batch.lengths
        if len(model.outputs) == 2:
            outputs = np.stack(outputs, axis=1)
            return [each[:, :end].copy() for each, end in zip(outputs, lengths, strict=False)]
        if outputs.ndim == 3:
            return [each[:end].copy() for each, end in zip(outputs, lengths, strict=False)]
        return [each.copy() for each in outputs[: len(lengths)]]

    def compute_all(batches: Iterable[Batch]) -> Iterator[list[np.ndarray]]:
        return batching.map_in_threads(compute, batches, run.threads(), run.begin_thread())

    budget = batching.ACCELERATOR if on_accelerator() else batching.CPU
    for _, logits in batching.map_in_batches(
        compute_all, rows, pad, batch_size, COMPILES_EVERY_SHAPE, budget
    ):
        yield logits
