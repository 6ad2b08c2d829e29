"""Logits of rows in batches are those of transformers, whatever the task."""

import numpy as np
import pytest
from task_folders import TASKS, TOLERANCE

from keras_bert import load_task_model
from keras_bert.extraction.logits import logits_of


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("name", ["bert-sequence", "bert-tokens", "bert-answers"])
def test_logits_of_rows(name, batch_size):
    model, _ = load_task_model(TASKS / name)
    with np.load(TASKS / name / "outputs.npz") as outputs:
        tokens, segments = outputs["tokens"], outputs["segments"]
        lengths = (tokens != 0).sum(axis=1)
        if name == "bert-answers":
            expected = np.stack([outputs["start_logits"], outputs["end_logits"]], axis=1)
        else:
            expected = outputs["logits"]
    rows = [
        (ids[:length].tolist(), length - int(marks.sum()), int(marks.sum()))
        for ids, marks, length in zip(tokens, segments, lengths, strict=True)
    ]
    found = list(logits_of(model, rows, 16, batch_size))
    assert len(found) == len(rows)
    for logits, whole, length in zip(found, expected, lengths, strict=True):
        if name != "bert-sequence":
            whole = whole[:length] if name == "bert-tokens" else whole[:, :length]
        np.testing.assert_allclose(logits, whole, rtol=TOLERANCE, atol=TOLERANCE)
