"""How many cores a process computes on."""

from __future__ import annotations

import os

from .arguments import as_size
from .backend import ENGINE


def limit_threads(count: int) -> None:
    """Let the runtime of this process compute with a number of threads, not one per core.

    TensorFlow and JAX make their threads once: call this before anything is computed.

    Args:
        count: Number of threads.

    Raises:
        RuntimeError: If TensorFlow has already computed something with another number.
    """
    count = as_size("threads", count)
    if ENGINE == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    elif ENGINE == "torch":
        import torch

        torch.set_num_threads(count)
    else:
        # JAX has no option for it. XLA's CPU client reads this variable when it is made
        # (DefaultThreadPoolSize in xla/pjrt/cpu/cpu_client.cc).
        os.environ["NPROC"] = str(count)
