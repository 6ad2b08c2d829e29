"""The files in data/checkpoints and what they hold, and how to compare with it."""

from pathlib import Path

import ml_dtypes
import numpy as np

DATA = Path(__file__).parent / "data" / "checkpoints"


def numbers(*shape):
    """The formula of data/checkpoints/make_checkpoints.py."""
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape) / 8 - 1


BUNDLE = {
    "bert/kernel": numbers(4, 6),
    "bert/half": numbers(5).astype(np.float16),
    "bert/brain": numbers(5).astype(ml_dtypes.bfloat16),
    "scalar": np.float64(0.1),
    "empty": np.zeros((0, 3), np.int32),
    "global_step": np.int64(1000000),
    "rows": numbers(100, 3),
    "columns": numbers(2, 5),
}

STATE = {
    "kernel": numbers(4, 6),
    "kernel.transposed": numbers(4, 6).T,
    "kernel.part": numbers(4, 6)[1:3, 2:5],
    "parameter": numbers(3),
    "half": numbers(5).astype(np.float16),
    "brain": numbers(5).astype(ml_dtypes.bfloat16),
    "scalar": np.float64(0.1),
    "empty": np.zeros((0, 3), np.int32),
    "position_ids": np.arange(7)[None],
}


def is_same(array, expected):
    """Tell whether two arrays have the same type, shape and bits."""
    expected = np.asarray(expected)
    return (
        array.dtype == expected.dtype
        and array.shape == expected.shape
        and array.tobytes() == expected.tobytes()
    )


def assert_holds(checkpoint, expected):
    """Assert that a checkpoint holds these tensors, bit by bit, and no others."""
    assert set(checkpoint) == set(expected)
    assert len(checkpoint) == len(expected)
    for name, array in expected.items():
        assert checkpoint.shape(name) == np.shape(array)
        assert checkpoint.dtype(name) == np.asarray(array).dtype
        assert is_same(checkpoint[name], array), name
