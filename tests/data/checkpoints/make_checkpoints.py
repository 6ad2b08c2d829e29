"""Writes the files beside it, with the programs whose formats they are.

TensorFlow 2.21.0 wrote the two bundles, PyTorch 2.13.0 the three files of state dicts:

    python make_checkpoints.py

What they hold follows from the formulas here, which the tests repeat.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import tensorflow as tf
import torch

FOLDER = Path(__file__).parent


def numbers(*shape):
    return np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape) / 8 - 1


def pieces(shape, dtype=None, partition_info=None):
    start = partition_info.var_offset
    region = [slice(first, first + size) for first, size in zip(start, shape, strict=True)]
    return tf.constant(numbers(*partition_info.full_shape)[tuple(region)])


def write_tensorflow():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        values = {
            "bert/kernel": numbers(4, 6),
            "bert/half": numbers(5).astype(np.float16),
            "bert/brain": tf.cast(numbers(5), tf.bfloat16),
            "scalar": np.float64(0.1),
            "empty": np.zeros((0, 3), np.int32),
            "global_step": np.int64(1000000),
        }
        for name, value in values.items():
            v1.get_variable(name, initializer=value)
        v1.get_variable("words", initializer=b"not a number")
        rows = v1.fixed_size_partitioner(3)
        v1.get_variable("rows", (100, 3), initializer=pieces, partitioner=rows)
        columns = v1.fixed_size_partitioner(2, axis=1)
        v1.get_variable("columns", (2, 5), initializer=pieces, partitioner=columns)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(FOLDER / "model.ckpt-7"), write_meta_graph=False)
    checkpoint = tf.train.Checkpoint(kernel=tf.Variable(numbers(2, 2)))
    checkpoint.write(str(FOLDER / "object_based"))
    (FOLDER / "checkpoint").unlink()


def write_torch():
    kernel = torch.from_numpy(numbers(4, 6))
    state = OrderedDict(
        {
            "kernel": kernel,
            "kernel.transposed": kernel.T,
            "kernel.part": kernel[1:3, 2:5],
            "parameter": torch.nn.Parameter(torch.from_numpy(numbers(3))),
            "half": torch.from_numpy(numbers(5)).half(),
            "brain": torch.from_numpy(numbers(5)).bfloat16(),
            "scalar": torch.tensor(0.1, dtype=torch.float64),
            "empty": torch.zeros(0, 3, dtype=torch.int32),
            "position_ids": torch.arange(7)[None],
        }
    )
    # torch.save keeps this attribute of a module's state dict.
    state._metadata = OrderedDict({"": {"version": 1}})
    torch.save(state, FOLDER / "zip.bin")
    torch.save(state, FOLDER / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"model": state, "epoch": 3}, FOLDER / "nested.pt", pickle_protocol=4)


if __name__ == "__main__":
    write_tensorflow()
    write_torch()
