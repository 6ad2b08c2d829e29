"""The files in data/checkpoints and what they hold, and how to compare with it."""

import pickle
import zipfile
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


EVERY_TYPE = {
    "float32": numbers(3, 4),
    "float64": numbers(3, 4).astype(np.float64),
    "float16": numbers(3, 4).astype(np.float16),
    "bfloat16": numbers(3, 4).astype(ml_dtypes.bfloat16),
    **{
        kind: np.array([[0, 1], [2, 100]], kind)
        for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    },
    "bool": np.array([True, False, True]),
    "scalar": np.float32(2.5),
    "empty": np.zeros((2, 0), np.float32),
    "a name/in 中文": numbers(2),
}
# Enough for several blocks of the index, and data that is folded when its CRC32C is computed.
MANY = {f"layer_{number}/kernel": numbers(number, 2) for number in range(300)}
LARGE = {"large": np.random.default_rng(0).normal(size=(700, 300)).astype(np.float32)}


def is_same(array, expected):
    """Tell whether two arrays have the same type, shape and bits."""
    expected = np.asarray(expected)
    return (
        array.dtype == expected.dtype
        and array.shape == expected.shape
        and array.tobytes() == expected.tobytes()
    )


def assert_same(tensors, expected):
    """Assert that two dictionaries have the same tensors, bit by bit."""
    assert tensors.keys() == expected.keys(), tensors.keys() ^ expected.keys()
    for name, array in expected.items():
        assert is_same(tensors[name], array), name


def assert_holds(checkpoint, expected):
    """Assert that a checkpoint holds these tensors, bit by bit, and no others."""
    assert set(checkpoint) == set(expected)
    assert len(checkpoint) == len(expected)
    for name, array in expected.items():
        assert checkpoint.shape(name) == np.shape(array)
        assert checkpoint.dtype(name) == np.asarray(array).dtype
        assert is_same(checkpoint[name], array), name


def repack(path, change=None, compression=zipfile.ZIP_STORED):
    """Copy zip.bin with other contents of its members."""
    with (
        zipfile.ZipFile(DATA / "zip.bin") as source,
        zipfile.ZipFile(path, "w", compression) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            content = change(name, content) if change else content
            if content is not None:
                target.writestr(name, content)
    return path


def save_pickle(path, content, legacy):
    """Put a pickle where a file's description of its tensors belongs."""
    if not legacy:
        return repack(path, lambda name, old: content if name.endswith("data.pkl") else old)
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
    path.write_bytes(head + content + pickle.dumps([], 2))
    return path
